"""The keys that were reported as leaked: once the journal has the report, they must be revoked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from emulator.services.accounts import Account

CLOCK_SKEW = timedelta(seconds=5)  # of the worker that recorded when the operation began
SLOTS = {"key1": ("Key1",), "key2": ("Key2",), "unknown": ("Key1", "Key2")}


@dataclass
class LeakedKeys:
    """``reported`` has the values that must be revoked, by the report's id and the account's name.

    ``named`` has those that may be revoked, by the account's name. ``ever`` has the values of each
    report, also of one that was taken back.
    """

    accepts: Callable[[str], bool]
    reported: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    named: dict[str, set[str]] = field(default_factory=dict)
    ever: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def report(
        self,
        account: Account,
        report: str,
        leaked: str,
        running_since: datetime | None,
        now: datetime,
    ) -> None:
        """Record a report without a document.

        ARM may list the key before the present one. A key that the running operation made cannot
        have leaked yet.
        """
        slots = SLOTS.get(leaked, ())
        values = {account.shown_keys(now)[slot] for slot in slots}
        began = running_since and running_since - CLOCK_SKEW
        known = {v for v in values if not began or _created_at(account, v) < began}
        self.add(account, report, known)
        self.named[account.name] |= {*values, *(account.keys[slot] for slot in slots)}

    def add(self, account: Account, report: str, values: set[str]) -> None:
        """Record values that leaked."""
        self.reported.setdefault((report, account.name), set()).update(values)
        self.named.setdefault(account.name, set()).update(values)
        self.ever[report].update(values)

    def withdraw(self, reports: Iterable[str]) -> None:
        """Forget reports: a person took them back."""
        gone = {*reports}
        self.reported = {each: v for each, v in self.reported.items() if each[0] not in gone}

    def holds(self, account: Account, value: str) -> bool:
        """Return whether this key of the account was reported."""
        return value in self.named.get(account.name, ())

    def still_valid(self, accounts: Iterable[str]) -> list[str]:
        """Return those of the accounts, by their names, that accept a reported key."""
        found = {
            name for (_, name), values in self.reported.items() if any(map(self.accepts, values))
        }
        return sorted(found.intersection(accounts))


def _created_at(account: Account, value: str) -> datetime:
    """Return when a key was made; the account's first keys are older than any operation."""
    if value in account.history[0][1].values():
        return datetime.min.replace(tzinfo=UTC)
    return next(at for at, keys in account.history if value in keys.values())
