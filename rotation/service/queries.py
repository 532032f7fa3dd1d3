"""Read-only queries: the fleet, its accounts and their operations."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ..domain.access import Caller
from ..domain.emergency import Emergency
from ..domain.errors import Unreadable
from ..domain.ids import AccountId
from ..domain.operation import Operation, Purpose
from ..domain.policy import Policy
from ..domain.record import Record
from ..domain.request import Request, RequestKind
from ..engine.emergencies import Emergencies
from ..engine.inventory import Inventory
from ..engine.journal import Journal
from ..ports import Vaults
from ..runtime.clock import Clock
from .overview import Overview
from .replies.fleet import CallerReply, FleetReply
from .replies.rotation import RotationReply, RotationsReply, RotationState
from .replies.secret import AccountReply
from .unmanaged import UnmanagedResources
from .views import emergency as emergency_view
from .views import fleet, last_sweep, operation, timeline
from .views.fleet import Row

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
    _overview: Overview = field(init=False)

    def __post_init__(self) -> None:
        self._overview = Overview(
            self.journal, self.inventory, self.policy, self.clock, self.emergencies
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
        return FleetReply(
            at=now,
            caller=CallerReply(name=caller.name, roles=caller.role_names),
            summary=fleet.summary(rows, now, sweep),
            secrets=[fleet.build(row, now) for row in rows],
            unmanaged=unmanaged,
            problems=[*problems, *more],
        )

    async def rows(self) -> tuple[list[Row], list[str]]:
        """Return one row per enrolled secret, and the problems that concern no row."""
        return await self._overview.rows()

    async def account(self, slug: str) -> AccountReply | None:
        """Return an account by its slug, or None if there is no record."""
        record = await self.journal.find(slug)
        return timeline.build(record, self.clock.now()) if record else None

    async def rotations(
        self, state: str = "", account: str = "", batch: str = ""
    ) -> RotationsReply:
        """Return the newest 200 operations and pending requests, and the number in each state.

        Raises ValueError if ``account`` is not an ARM resource id.
        """
        records = await self._overview.records()
        slug = AccountId.parse(account).slug if account else None
        found = [
            operation.build(record, one)
            for record in records.values()
            if slug in (None, record.account.slug)
            for one in _all(record)
            if not batch or batch in _keys(one)
        ]
        wanted = [body for body in found if not state or body.state == state]
        return RotationsReply(
            rotations=sorted(wanted, key=_started, reverse=True)[:MAX_ROTATIONS],
            states=dict(Counter(body.state.value for body in found)),
        )

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
        try:
            record = await self.record(operation_id)
        except Unreadable:
            if emergency is None:
                raise
            record = None
        found = record.find(operation_id) if record else None
        if record is None or found is None or (emergency and _is_over(found, emergency)):
            return emergency_view.build(emergency) if emergency else None
        return emergency_view.judged(
            operation.build(record, found), await self._emergencies_of(found, emergency)
        )

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

    async def _emergencies_of(
        self, found: Operation | Request, known: Emergency | None
    ) -> list[Emergency]:
        if isinstance(found, Request) or found.purpose is not Purpose.EMERGENCY:
            return [known] if known else []
        ids = dict.fromkeys((found.id, *found.requests))
        documents = [await self.emergencies.find(one) for one in ids]
        return [document for document in documents if document]

    async def record(self, operation_id: str) -> Record | None:
        """Return the record that an operation's id belongs to."""
        slug = operation_id.partition("-")[0]
        return await self.journal.find(slug.lower()) if _is_id(operation_id) else None


def _is_id(text: str) -> bool:
    slug, _, rest = text.partition("-")
    return len(slug) == 16 and rest.isalnum() and slug.isalnum() and text.isascii()


def _is_over(found: Operation | Request, emergency: Emergency) -> bool:
    """Return whether the record is behind or ahead of the emergency's document."""
    if isinstance(found, Request):
        return not emergency.is_open
    return found.ended_at is not None and emergency.is_open


def _all(record: Record) -> list[Operation | Request]:
    running = [record.operation] if record.operation else []
    pending = [w for w in record.requests if w.kind in (RequestKind.MANUAL, RequestKind.EMERGENCY)]
    return [*pending, *running, *record.history]


def _keys(one: Operation | Request) -> tuple[str, ...]:
    if isinstance(one, Operation):
        return one.idempotency_keys
    return (one.idempotency_key,) if one.idempotency_key else ()


def _started(reply: RotationReply) -> datetime:
    """Return the time of the start or of the request; every reply has one of them."""
    return reply.started_at or reply.requested_at or datetime.min.replace(tzinfo=UTC)
