"""Read-only queries: the fleet, its accounts and their operations."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ..domain.access import Caller
from ..domain.emergency import Emergency
from ..domain.errors import Unreadable, unenrolled
from ..domain.ids import AccountId, TargetId
from ..domain.operation import Purpose
from ..domain.policy import Policy
from ..domain.record import Record
from ..domain.request import Request, RequestKind
from ..engine.emergencies import Emergencies
from ..engine.fleet_holds import FRESH, FleetHolds
from ..engine.inventory import Inventory
from ..engine.journal import Journal
from ..engine.listing_marks import ListingMarks
from ..ports import Vaults
from ..runtime.clock import Clock
from .overview import Overview
from .replies.fleet import CallerReply, FleetHoldReply, FleetReply
from .replies.reply import optional
from .replies.rotation import RotationReply, RotationsReply, RotationState
from .replies.secret import AccountReply
from .unmanaged import UnmanagedResources
from .views import emergency as emergency_view
from .views import fleet, fleet_hold, last_sweep, operation, rotations, timeline
from .views.fleet import Row
from .views.rotations import ids_of, is_outdated
from .views.verdict import verdict

MAX_ROTATIONS = 200

POLL = timedelta(seconds=1)

_ACTIVE = (RotationState.WAITING, RotationState.RUNNING)


@dataclass
class Queries:
    """Answers questions from the journal and the vaults' listings. Changes nothing."""

    journal: Journal
    inventory: Inventory
    vaults: Vaults
    unmanaged: UnmanagedResources
    policy: Policy
    clock: Clock
    emergencies: Emergencies
    marks: ListingMarks
    holds: FleetHolds
    period: timedelta = timedelta(minutes=15)  # between two sweeps
    _overview: Overview = field(init=False)

    def __post_init__(self) -> None:
        self._overview = Overview(
            *(self.journal, self.inventory, self.policy, self.clock, self.emergencies),
            *(self.marks, self.holds),
        )

    @property
    def vault_urls(self) -> tuple[str, ...]:
        """The configured vaults."""
        return self.vaults.urls

    async def fleet(self, caller: Caller) -> FleetReply:
        """Return all enrolled secrets."""
        rows, problems = await self.rows()
        now = self.clock.now()
        managed = {row.account for row in rows if row.account}
        unmanaged, more = await self.unmanaged.find(managed)
        sweep = last_sweep.build(await self.journal.last_sweep(), now)
        problems = [*problems, *more]
        return FleetReply(
            at=now,
            verdict=verdict(rows, problems, sweep, self.period, now),
            caller=CallerReply(name=caller.name, roles=caller.role_names),
            summary=fleet.summary(rows, now, sweep),
            secrets=[fleet.build(row, now) for row in rows],
            unmanaged=unmanaged,
            problems=problems,
            hold=optional(await self._hold()),
        )

    async def _hold(self) -> FleetHoldReply | None:
        """Return the hold in force, as ``rows`` has just read it."""
        hold = await self.holds.current(FRESH)
        return fleet_hold.build(hold) if hold else None

    async def rows(self) -> tuple[list[Row], list[str]]:
        """Return one row per enrolled secret, and the problems that concern no row."""
        return await self._overview.rows()

    async def row(self, target: TargetId) -> Row:
        """Return the row of a secret.

        Raises Permanent if the secret is not enrolled, and RotationError if that is not known.
        """
        rows, _ = await self.rows()
        found = next((row for row in rows if row.target == target), None)
        if found is None:
            await self.inventory.check_readable(target.vault)
            raise unenrolled(str(target))
        return found

    async def records(self) -> Mapping[str, Record]:
        """Return the records of all accounts that can be read, by slug."""
        return await self._overview.records()

    @property
    def unreadable(self) -> list[str]:
        """The reasons that documents could not be read when they were read last."""
        return self._overview.unreadable

    async def account(self, slug: str) -> AccountReply | None:
        """Return an account by its slug, or None if nothing is stored about it."""
        documents = await self.emergencies.of_slug(slug)
        record = await self._readable(slug, documents)
        if record is None and documents:
            record = Record(documents[0].account, "", waiting="it has no record that can be read")
        return timeline.build(record, documents, self.clock.now()) if record else None

    async def _readable(self, slug: str, documents: Sequence[Emergency]) -> Record | None:
        """Return the record; None if it is missing, or unreadable and emergencies are known."""
        try:
            return await self.journal.find(slug)
        except Unreadable:
            if not documents:
                raise
            return None

    async def rotations(
        self, state: str = "", account: str = "", batch: str = ""
    ) -> RotationsReply:
        """Return the newest 200 operations and pending requests, and the number in each state.

        Raises ValueError if ``account`` is not an ARM resource id.
        """
        found = await self.all_rotations(account, batch)
        wanted = [body for body in found if not state or body.state == state]
        return RotationsReply(
            rotations=sorted(wanted, key=_started, reverse=True)[:MAX_ROTATIONS],
            states=dict(Counter(body.state.value for body in found)),
        )

    async def all_rotations(self, account: str = "", batch: str = "") -> list[RotationReply]:
        """Return all operations and pending requests, in no order.

        Raises ValueError if ``account`` is not an ARM resource id.
        """
        records = await self._overview.records()
        slug = AccountId.parse(account).slug if account else None
        documents = defaultdict[str, list[Emergency]](list)
        for emergency in await self.emergencies.all():
            documents[emergency.account.slug].append(emergency)
        return [
            rotation.reply
            for one in {*records, *documents}
            if slug in (None, one)
            for rotation in rotations.of_account(records.get(one), documents[one])
            if not batch or batch in rotation.keys
        ]

    async def status(
        self, operation_id: str, wait: timedelta = timedelta()
    ) -> RotationReply | None:
        """Return an operation, once it has ended or after ``wait``; None if it is unknown."""
        found = await self._status(operation_id)
        while found and found.state in _ACTIVE and wait > timedelta():
            await asyncio.sleep(POLL.total_seconds())
            wait -= POLL
            found = await self._status(operation_id)
        return found

    async def _status(self, operation_id: str) -> RotationReply | None:
        emergency = await self.emergency(operation_id)
        known = [emergency] if emergency else []
        slug = operation_id.partition("-")[0].lower()
        record = await self._readable(slug, known) if _is_id(operation_id) else None
        found = record.find(operation_id) if record else None
        if record is None or found is None or (emergency and is_outdated(found, emergency)):
            await self.check_readable(operation_id, emergency)
            return emergency_view.build(emergency) if emergency else None
        documents = [await self.emergencies.find(one) for one in ids_of(found)]
        reply = emergency_view.judged(operation.build(record, found), filter(None, documents))
        why = None if any(documents) else await self.emergencies.explain(operation_id)
        return emergency_view.unreadable(reply, why) if why else reply

    async def check_readable(self, operation_id: str, emergency: Emergency | None) -> None:
        """Raise Permanent if the id is that of an emergency whose document cannot be read."""
        if emergency is None and _is_id(operation_id):
            why = await self.emergencies.explain(operation_id)
            if why:
                raise why

    async def is_emergency(self, operation_id: str) -> bool:
        """Return whether only the Emergency role may answer an operation."""
        emergency = await self.emergency(operation_id)
        if emergency is not None:
            return emergency.is_open
        record = await self.record(operation_id)
        found = record.find(operation_id) if record else None
        if isinstance(found, Request):
            return found.kind is RequestKind.EMERGENCY
        if found is None or found.ended_at is not None:
            return False
        return found.purpose is Purpose.EMERGENCY

    async def emergency(self, operation_id: str) -> Emergency | None:
        """Return the document of an emergency, or None if there is none."""
        return await self.emergencies.find(operation_id) if _is_id(operation_id) else None

    async def record(self, operation_id: str) -> Record | None:
        """Return the record that an operation's id belongs to."""
        slug = operation_id.partition("-")[0]
        return await self.journal.find(slug.lower()) if _is_id(operation_id) else None


def _is_id(text: str) -> bool:
    slug, _, rest = text.partition("-")
    return len(slug) == 16 and rest.isalnum() and slug.isalnum() and text.isascii()


def _started(reply: RotationReply) -> datetime:
    """Return the time of the start or of the request; every reply has one of them."""
    return reply.started_at or reply.requested_at or datetime.min.replace(tzinfo=UTC)
