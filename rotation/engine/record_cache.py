"""Caches all records and re-reads only those that changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..domain.errors import Unreadable
from ..domain.record import Record
from ..runtime.concurrency import gather_limited
from .journal import Journal

AT_ONCE = 32


@dataclass
class RecordCache:
    """A cache of all records; one listing of the store finds those that changed."""

    journal: Journal
    _kept: dict[str, tuple[str, Record | Unreadable | None]] = field(default_factory=dict)

    async def records(self) -> Mapping[str, Record]:
        """Return records by slug. A change after the listing is seen the next time.

        Of concurrent calls, each returns what its own listing names.
        """
        return await self.of({slug: mark async for slug, mark in self.journal.stamps()})

    async def of(self, stamps: Mapping[str, str]) -> Mapping[str, Record]:
        """Return the records with these slugs and stamps. All others are forgotten."""
        kept = {slug: one for slug, one in self._kept.items() if stamps.get(slug) == one[0]}
        changed = [slug for slug in stamps if slug not in kept]
        found = await gather_limited((self._find(slug) for slug in changed), AT_ONCE)
        kept |= {s: (stamps[s], record) for s, record in zip(changed, found, strict=True)}
        self._kept = kept
        return {slug: record for slug, (_, record) in kept.items() if isinstance(record, Record)}

    @property
    def unreadable(self) -> Mapping[str, Unreadable]:
        """The documents that could not be read when ``records`` was last called, by slug."""
        kept = self._kept.items()
        return {slug: found for slug, (_, found) in kept if isinstance(found, Unreadable)}

    async def _find(self, slug: str) -> Record | Unreadable | None:
        """Return the record, or the error if it cannot be read, which does not hide the others."""
        try:
            return await self.journal.find(slug)
        except Unreadable as exc:
            return exc
