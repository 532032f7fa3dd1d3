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
    requests: frozenset[str]
    later: bool = False


@dataclass
class VisitLimit:
    """Allows a look a minute at each account, in this process, and defers one more."""

    _last: dict[AccountId, _Look] = field(default_factory=dict)

    def allows(self, account: AccountId, now: datetime, requests: frozenset[str]) -> bool:
        """Return whether the account may be looked at now, and remember that it was.

        ``requests`` are the ids of its requests: a new one is a reason to look at once.
        """
        self._last = {a: look for a, look in self._last.items() if now - look.at < APART}
        last = self._last.get(account)
        if last is not None and requests <= last.requests:
            return False
        self._last[account] = _Look(now, requests)
        return True

    def defer(self, account: AccountId, now: datetime) -> timedelta | None:
        """Return how long to put off a look; None if another message does it already."""
        last = self._last.get(account)
        if last is None or last.later:
            return None
        self._last[account] = _Look(last.at, last.requests, later=True)
        return last.at + APART - now
