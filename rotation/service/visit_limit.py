"""Limits the visits of one account that messages cause, because anybody may forge a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..domain.ids import AccountId

APART = timedelta(minutes=1)


@dataclass(frozen=True)
class _Look:
    """The last look at an account. ``later``: another one is enqueued already."""

    at: datetime
    later: bool = False


@dataclass
class VisitLimit:
    """Allows a look a minute at each account, in this process, and defers one more."""

    _last: dict[AccountId, _Look] = field(default_factory=dict)

    def last(self, account: AccountId, now: datetime) -> datetime | None:
        """Return the time of a look at the account within the last minute, if any."""
        self._last = {a: look for a, look in self._last.items() if now - look.at < APART}
        found = self._last.get(account)
        return found.at if found else None

    def note(self, account: AccountId, now: datetime) -> None:
        """Remember that the account is looked at now."""
        self._last[account] = _Look(now)

    def defer(self, account: AccountId, now: datetime) -> timedelta | None:
        """Return how long to put off a look; None if another message does it already."""
        last = self._last.get(account)
        if last is None or last.later:
            return None
        self._last[account] = _Look(last.at, later=True)
        return last.at + APART - now
