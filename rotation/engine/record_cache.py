"""All records at once, for those who look at the fleet; read again only where they have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..domain.record import Record
from ..runtime.concurrency import gather_limited
from .journal import Journal

AT_ONCE = 32


@dataclass
class RecordCache:
    """Keeps what it has read: one listing tells which of ten thousand records have changed."""

    journal: Journal
    _kept: dict[str, tuple[str, Record]] = field(default_factory=dict)

    async def records(self) -> Mapping[str, Record]:
        """By slug. The marks are listed first, so that a change meanwhile is seen the next time."""
        marks = {slug: mark async for slug, mark in self.journal.stamps()}
        self._kept = {s: kept for s, kept in self._kept.items() if marks.get(s) == kept[0]}
        changed = [slug for slug in marks if slug not in self._kept]
        found = await gather_limited((self.journal.find(slug) for slug in changed), AT_ONCE)
        read = zip(changed, found, strict=True)
        self._kept |= {slug: (marks[slug], record) for slug, record in read if record}
        return {slug: record for slug, (_, record) in self._kept.items()}
