"""Excuses for what nobody could know, and only for the secret or value that was touched.

If a person changes a secret or a key after a worker has read its facts, the worker acts on what was
true a moment ago. Such an excuse covers one secret or one value, for as long as the facts of a
worker are older than the change. It never covers a theft, nor a leak that was reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rotation.domain.ids import TargetId

LISTING_AGE = timedelta(seconds=60)  # how old a vault's listing may be: inventory.FRESH


@dataclass
class Excuses:
    """``facts_at`` returns since when the acting worker's facts may be out of date.

    ``uses`` are values that may fail consumers, by secret; those under None may fail all of them.
    """

    facts_at: Callable[[], datetime | None]
    touched_secrets: dict[TargetId, datetime] = field(default_factory=dict)
    touched_values: dict[str, datetime] = field(default_factory=dict)
    uses: defaultdict[TargetId | None, set[str]] = field(default_factory=lambda: defaultdict(set))

    def forget(self) -> None:
        for memory in (self.touched_secrets, self.touched_values, self.uses):
            memory.clear()

    def of_secret(self, target: TargetId, *, listed: bool = False) -> bool:
        """Return whether a person changed the secret after the acting worker had read it.

        ``listed``: the worker only knows it from a vault's listing, which may be older.
        """
        return self._is_recent(self.touched_secrets.get(target), listed)

    def of_value(self, value: str) -> bool:
        """Return whether a person revoked the key after the acting worker had read it."""
        return self._is_recent(self.touched_values.get(value), False)

    def of_use(self, target: TargetId, value: str) -> bool:
        """Return whether a consumer of the secret may fail with this value."""
        return value in self.uses[target] or value in self.uses[None]

    def _is_recent(self, touched_at: datetime | None, listed: bool) -> bool:
        facts_at = self.facts_at()
        if touched_at is None or facts_at is None:
            return False
        return touched_at >= facts_at - (LISTING_AGE if listed else timedelta())
