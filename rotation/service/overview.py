"""The overview of the fleet: a row for every secret that is listed or remembered, and problems.

What cannot be read is shown as such: a row never disappears because a vault or a record is
unreadable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from ..domain.bindings import Bindings, Bound
from ..domain.emergency import Emergency
from ..domain.errors import Permanent, RotationError
from ..domain.ids import AccountId, TargetId, target_id
from ..domain.policy import Policy
from ..domain.record import Failure, Record
from ..domain.targets import ListedSecret
from ..engine.emergencies import Emergencies
from ..engine.fleet_holds import FleetHolds
from ..engine.inventory import Inventory, Listing
from ..engine.journal import Journal
from ..engine.listing_marks import ListingMarks
from ..engine.record_cache import RecordCache
from ..runtime.clock import Clock
from .replies.fleet import SecretState
from .views import fleet, members
from .views.emergency import NOT_REVOKED, failure, is_left
from .views.fleet import Row


@dataclass
class Overview:
    """Combines the vaults' listings with the records of all accounts."""

    journal: Journal
    inventory: Inventory
    policy: Policy
    clock: Clock
    emergencies: Emergencies
    marks: ListingMarks
    holds: FleetHolds
    _records: RecordCache = field(init=False)

    def __post_init__(self) -> None:
        self._records = RecordCache(self.journal)

    async def records(self) -> Mapping[str, Record]:
        """Return all records that can be read, by slug."""
        return await self._records.records()

    @property
    def unreadable(self) -> list[str]:
        """The reasons that documents could not be read when they were read last."""
        records = (exc.advice for exc in self._records.unreadable.values())
        return [*records, *self.emergencies.unreadable.values()]

    async def rows(self) -> tuple[list[Row], list[str]]:
        """Return the rows in order, and the problems that concern no row."""
        listings = await self.inventory.listings(marks=await self.marks.all())
        records, now = await self.records(), self.clock.now()
        listed = [secret for listing in listings for secret in listing.secrets]
        rows = [self._listed(secret, records, now) for secret in listed]
        rows += _remembered({s.target for s in listed}, listings, records.values(), now)
        problems = [
            *(str(listing.error) for listing in listings if listing.error),
            *(exc.advice for exc in self._records.unreadable.values()),
            *await self.inventory.bindings.problems(),
            *_stranded(records.values(), await self.inventory.bindings.current()),
            *await self._held(),
        ]
        held = _not_revoked(await self.emergencies.all(), records)
        rows = [_held(row, held[row.account]) if row.account in held else row for row in rows]
        problems += [f"{NOT_REVOKED}{why}" for why in self.emergencies.unreadable.values()]
        shown = {row.account for row in rows}
        unseen = held.keys() - shown
        problems += [f"{a.name}: {held[a].message}; {held[a].remedy}" for a in unseen]
        return sorted(rows, key=lambda row: row.target), problems

    async def _held(self) -> list[str]:
        """Return that all scheduled work is held, or that its hold cannot be read."""
        hold = await self.holds.current()
        found = (hold.sentence if hold else "", self.holds.problem)
        return [text for text in found if text]

    def _listed(self, secret: ListedSecret, records: Mapping[str, Record], now: datetime) -> Row:
        slug = secret.account.slug if secret.account else ""
        unreadable = self._records.unreadable.get(slug)
        if unreadable:
            return members.without_record(secret, unreadable, now)
        return fleet.row(secret, records.get(slug), self.policy, now)


def _not_revoked(
    found: Iterable[Emergency], records: Mapping[str, Record]
) -> dict[AccountId, Failure]:
    """Return why a leaked key of an account may still work, by account."""
    left = [e for e in found if is_left(e, records.get(e.account.slug))]
    held = [e for e in found if e.is_open and e.why]
    return {e.account: failure(e) for e in (*left, *held)}


def _held(row: Row, why: Failure) -> Row:
    """Return the row of an account whose leaked key is not revoked."""
    text = f"{why.message}; {why.remedy}"
    return replace(row, state=SecretState.FAILING, why=text, error=why)


def _remembered(
    listed: set[TargetId], listings: Iterable[Listing], records: Iterable[Record], now: datetime
) -> list[Row]:
    """Return the rows of members that are not listed with our tags."""
    by_vault = {listing.vault: listing for listing in listings}
    pairs = ((target, record) for record in records for target in _members(record))
    rows = {
        target: _member(target, record, by_vault.get(target.vault), now)
        for target, record in pairs
        if target not in listed
    }
    return [row for row in rows.values() if row]


def _member(target: TargetId, record: Record, listing: Listing | None, now: datetime) -> Row | None:
    """Return the row of a member; None if its vault says that it does not exist."""
    if listing is None:
        return members.unread(target, record, _not_configured(target), now)
    if listing.error:
        return members.unread(target, record, listing.error, now)
    return members.untagged(target, record) if target in listing.names else None


def _members(record: Record) -> list[TargetId]:
    return [target_id(text) for text in {**record.seen, **record.members}]


def _not_configured(target: TargetId) -> RotationError:
    return Permanent(
        f"{target.vault} is not a configured vault",
        code="UnknownVault",
        remedy="add its URL to ROTATION_VAULTS, or remove the secret from rotation first",
    )


def _stranded(records: Iterable[Record], bindings: Bindings) -> list[str]:
    """Return a problem for each account whose key may be published nowhere any longer."""
    return [
        f"{record.account.name} is stranded: none of its secrets is bound to it any longer, so "
        "its keys are not rotated; correct ROTATION_BINDINGS"
        for record in records
        if record.members
        and all(bindings.of(t, record.account) is Bound.NONE for t in _members(record))
    ]
