"""Finds secrets whose account's record was lost, although their latest version has no tags.

A version that a person writes carries no tags, and membership then rests on the record. Without
one, the tags of earlier versions tell. Listing versions costs a call for each secret, so that each
sweep looks at a few.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..domain.errors import RotationError
from ..domain.ids import TargetId
from ..domain.record import Record
from ..engine.inventory import Listing
from ..engine.journal import Journal
from ..engine.reader import SecretReader
from .messages import Visit

AT_ONCE = 10


@dataclass
class LostRecords:
    """Looks at the next few untagged secrets on each call; ``_next`` is where it goes on."""

    reader: SecretReader
    journal: Journal
    _next: int = 0

    async def find(self, listings: Iterable[Listing]) -> list[Visit]:
        """Return visits to accounts without a record. Never raises for one secret's sake."""
        untagged = sorted(target for listing in listings for target in listing.untagged)
        if not untagged:
            return []
        start = self._next % len(untagged)
        self._next = start + AT_ONCE
        found = [await self._visit(target) for target in untagged[start : start + AT_ONCE]]
        return [visit for visit in found if visit]

    async def _visit(self, target: TargetId) -> Visit | None:
        try:
            found = await self.reader.find(target)
            if found is None:
                return None
            account, secret = found
            known = await self.journal.find(account.slug)
        except RotationError:
            return None
        return Visit(account, (secret.id,)) if self._may_be_lost(known, secret.id) else None

    def _may_be_lost(self, known: Record | None, target: TargetId) -> bool:
        """Return whether the secret may have been a member of a record that was lost."""
        if known is None or not (known.members or known.seen):
            return True
        now = self.reader.inventory.clock.now()
        return known.is_young(now) and str(target) not in {*known.members, *known.left}
