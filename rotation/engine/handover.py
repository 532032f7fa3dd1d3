"""The keys that the acceptance of an emergency has listed, for the visit that acts on it.

They pin the leaked value. If the visit follows within seconds in the same process, it need not ask
Resource Manager for the same keys again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..domain.ids import AccountId
from ..domain.keys import Keys
from ..domain.record import Record

KEPT = timedelta(seconds=8)


@dataclass(frozen=True)
class Listed:
    """Both keys, and when the call that listed them began."""

    keys: Keys
    at: datetime

    def serves(self, record: Record) -> bool:
        """Return whether nothing is known that may have changed the keys since."""
        salt, known = record.salt, record.known_keys.items()
        is_quarantined = any(until > self.at for until in record.quarantine.values())
        is_known = all(self.keys[slot].fingerprint(salt) == value for slot, value in known)
        return record.intent is None and not is_quarantined and is_known


@dataclass
class Handover:
    """Keys by account. They are given away once, and dropped after a few seconds."""

    _listed: dict[AccountId, Listed] = field(default_factory=dict)

    def give(self, account: AccountId, listed: Listed) -> None:
        """Keep keys that were just listed."""
        kept = self._listed.items()
        self._listed = {a: one for a, one in kept if abs(listed.at - one.at) <= KEPT}
        self._listed[account] = listed

    def take(self, account: AccountId, now: datetime) -> Listed | None:
        """Return an account's keys, if there are any that are new enough, and forget them."""
        found = self._listed.pop(account, None)
        return found if found and abs(now - found.at) <= KEPT else None
