"""What an emergency promises: once it is in the journal, the leaked keys die, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from emulator.services.accounts import Account

SKEW = timedelta(seconds=5)  # of the worker that noted when it began
SLOTS = {"key1": ("Key1",), "key2": ("Key2",), "unknown": ("Key1", "Key2")}


@dataclass
class LeakedKeys:
    """The values that somebody reported, by the account's name."""

    accepts: Callable[[str], bool]
    reported: dict[str, set[str]] = field(default_factory=dict)

    def report(self, account: Account, leaked: str, running_since: datetime | None) -> None:
        """A key that the operation under way has made has been nowhere yet; meant is the last."""
        values = {account.keys[slot] for slot in SLOTS.get(leaked, ())}
        begun = running_since and running_since - SKEW
        known = {v for v in values if not begun or _since(account, v) < begun}
        self.reported.setdefault(account.name, set()).update(known)

    def still_valid(self) -> list[str]:
        """The accounts of which a reported key still works."""
        return [name for name, values in self.reported.items() if any(map(self.accepts, values))]


def _since(account: Account, value: str) -> datetime:
    """Those that were there at the beginning are older than anything."""
    if value in account.history[0][1].values():
        return datetime.min.replace(tzinfo=UTC)
    return next(at for at, keys in account.history if value in keys.values())
