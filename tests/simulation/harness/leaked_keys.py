"""The keys that were reported as leaked: once the journal has the report, they must be revoked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from emulator.services.accounts import Account

CLOCK_SKEW = timedelta(seconds=5)  # of the worker that recorded when the operation began
SLOTS = {"key1": ("Key1",), "key2": ("Key2",), "unknown": ("Key1", "Key2")}


@dataclass
class LeakedKeys:
    """The reported values, by the account's name.

    ``named`` may be revoked, ``reported`` must be.
    """

    accepts: Callable[[str], bool]
    reported: dict[str, set[str]] = field(default_factory=dict)
    named: dict[str, set[str]] = field(default_factory=dict)

    def report(self, account: Account, leaked: str, running_since: datetime | None) -> None:
        """Record a report. A key that the running operation made cannot have leaked yet."""
        values = {account.keys[slot] for slot in SLOTS.get(leaked, ())}
        began = running_since and running_since - CLOCK_SKEW
        known = {v for v in values if not began or _created_at(account, v) < began}
        self.reported.setdefault(account.name, set()).update(known)
        self.named.setdefault(account.name, set()).update(values)

    def holds(self, account: Account, value: str) -> bool:
        """Return whether this key of the account was reported."""
        return value in self.named.get(account.name, ())

    def still_valid(self) -> list[str]:
        """Return the accounts that accept a reported key."""
        return [name for name, values in self.reported.items() if any(map(self.accepts, values))]


def _created_at(account: Account, value: str) -> datetime:
    """Return when a key was made; the account's first keys are older than any operation."""
    if value in account.history[0][1].values():
        return datetime.min.replace(tzinfo=UTC)
    return next(at for at, keys in account.history if value in keys.values())
