"""The records of leased accounts, as their visits know them.

A visit reads its record once. Each effect is preceded by a write that fails if the record has
changed since, so that a copy that is out of date never leads to one.

What an effect has to note is kept here until the next write, and applied again if that write
conflicts with one of somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from ..domain.record import Record

Change = Callable[[Record], Record | None]

# Copies that are left for a visit at the next wake-up: those of proofs under way.
LEFT = 1000


@dataclass
class HeldRecord:
    """The record of one leased account, or None while it must be read.

    ``notes`` are changes that are in ``found`` and not stored yet. ``is_left``: it is the copy of
    an earlier visit, and nothing has confirmed it yet.
    """

    found: tuple[Record, str | None] | None = None
    notes: list[Change] = field(default_factory=list)
    is_left: bool = False

    @property
    def is_behind(self) -> bool:
        """Return whether a step must write, so that its notes are stored, or the copy confirmed."""
        return bool(self.notes) or self.is_left

    def take(self, record: Record, etag: str | None) -> tuple[Record, str | None]:
        """Take what was read, with the notes. Return it."""
        for change in self.notes:
            record = change(record) or record
        self.found, self.is_left = (record, etag), False
        return self.found

    def note(self, change: Change, record: Record, etag: str | None) -> None:
        """Change the copy of ``record`` until the next write."""
        changed = change(record)
        if changed is not None and changed != record:
            self.notes.append(change)
            self.found = (changed, etag)

    def stored(self, record: Record, etag: str, count: int) -> None:
        """Take what was written, the first ``count`` notes included."""
        del self.notes[:count]
        self.take(record, etag)


class HeldRecords:
    """The records of all accounts that this process has leased, and those it has left behind."""

    def __init__(self) -> None:
        self._held: dict[str, HeldRecord] = {}
        self._left: dict[str, tuple[Record, str | None]] = {}

    def find(self, slug: str) -> HeldRecord | None:
        """Return the record of an account if it is leased."""
        return self._held.get(slug)

    @contextmanager
    def during(self, slug: str, wake: datetime | None) -> Iterator[None]:
        """Hold a record. The copy that was left serves only at the wake-up for which it waits.

        A visit that outlives its lease shares its notes with the next one.
        """
        left, earlier = self._left.pop(slug, None), self._held.get(slug)
        is_awaited = left is not None and wake is not None and left[0].waiting_until == wake
        found = left if is_awaited and not earlier else None
        notes = earlier.notes if earlier else []
        ours = self._held[slug] = HeldRecord(found, notes, is_left=found is not None)
        try:
            yield
        finally:
            if self._held.get(slug) is ours:
                del self._held[slug]

    def leave(self, slug: str) -> None:
        """Leave the copy of a leased record to the visit at its next wake-up."""
        held = self._held.get(slug)
        if held is None or held.found is None or held.is_behind:
            return
        self._left[slug] = held.found
        while len(self._left) > LEFT:
            del self._left[next(iter(self._left))]
