"""Finds secrets whose account's record was lost, although their latest version has no tags.

A version that a person writes carries no tags, and membership then rests on the record. Without
one, the tags of earlier versions tell. Listing versions costs a call for each secret, so that each
sweep looks at some. Once all were looked at, the accounts of lost records go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from ..domain.errors import RotationError, Unreadable
from ..domain.ids import AccountId, TargetId
from ..domain.record import Record
from ..engine.inventory import Listing
from ..engine.journal import Journal
from ..engine.reader import SecretReader
from .messages import Visit

AT_ONCE = 10

SWEEPS = 96  # in which every secret is looked at, so that it takes a day


@dataclass
class _Search:
    """A look at every untagged secret. ``missed``: something could not be read."""

    since: datetime
    last: TargetId | None = None
    found: dict[TargetId, AccountId] = field(default_factory=dict)
    missed: bool = False
    is_over: bool = False


@dataclass
class LostRecords:
    """Looks at the next untagged secrets on each call."""

    reader: SecretReader
    journal: Journal
    _search: _Search | None = None

    async def find(
        self, listings: Iterable[Listing], records: Mapping[str, Record] | None = None
    ) -> list[Visit]:
        """Return visits to accounts without a record. Never raises for one secret's sake.

        ``records`` are all records by slug: those that a complete search concerns are told.
        """
        listings = tuple(listings)
        search = await self._begun(records or {})
        search.missed |= any(listing.error for listing in listings)
        untagged = sorted(target for listing in listings for target in listing.untagged)
        rest = [target for target in untagged if search.last is None or target > search.last]
        some = rest[: max(AT_ONCE, len(untagged) // SWEEPS + 1)]
        found = [await self._visit(target, search) for target in some]
        search.last = some[-1] if some else search.last
        search.is_over = len(some) == len(rest)
        return [visit for visit in found if visit]

    async def _begun(self, records: Mapping[str, Record]) -> _Search:
        """Return the present search. The one before is reported a sweep later, if complete."""
        if self._search and not self._search.is_over:
            return self._search
        if self._search and not self._search.missed:
            for record in records.values():
                await self._report(record, self._search)
        self._search = _Search(self.reader.inventory.clock.now())
        return self._search

    async def _report(self, record: Record, search: _Search) -> None:
        """Note that nothing is left to look for, unless a secret still waits for its admission."""
        waiting = any(
            account == record.account and self._may_be_lost(record, target)
            for target, account in search.found.items()
        )
        if waiting or record.began_at is None or record.searched or record.began_at > search.since:
            return
        await self.journal.amend(record.account, lambda r: replace(r, searched=True))

    async def _visit(self, target: TargetId, search: _Search) -> Visit | None:
        try:
            found = await self.reader.find(target)
            if found is None:
                return None
            account, secret = found
            known = await self.journal.find(account.slug)
        except Unreadable:  # the visit reports it, or replaces it if it is garbage
            return Visit(account, (secret.id,))
        except RotationError as exc:
            search.missed |= exc.code != "NotBound"
            return None
        if not self._may_be_lost(known, secret.id):
            return None
        search.found[secret.id] = account
        return Visit(account, (secret.id,))

    def _may_be_lost(self, known: Record | None, target: TargetId) -> bool:
        """Return whether the secret may have been a member of a record that was lost."""
        if known is None or not (known.members or known.seen):
            return True
        now = self.reader.inventory.clock.now()
        return known.is_young(now) and str(target) not in {*known.members, *known.left}
