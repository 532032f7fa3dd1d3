"""Limits the visits of one account that events cause."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..domain.ids import AccountId

APART = timedelta(minutes=1)


@dataclass
class EventLimit:
    """Allows a visit a minute of each account, in this process; the sweep finds the rest."""

    _last: dict[AccountId, datetime] = field(default_factory=dict)

    def allows(self, account: AccountId, now: datetime) -> bool:
        """Return whether an event may cause a visit now, and remember that it did."""
        self._last = {a: at for a, at in self._last.items() if now - at < APART}
        if account in self._last:
            return False
        self._last[account] = now
        return True
