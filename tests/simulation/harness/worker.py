"""One process of the service in the simulated world."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rotation.domain import codec
from rotation.domain.errors import RotationError
from rotation.domain.ids import AccountId
from rotation.domain.operation import Phase
from rotation.domain.policy import Policy
from rotation.domain.record import Record
from rotation.domain.request import Request
from rotation.engine.bindings import BindingRegistry
from rotation.engine.emergencies import Emergencies
from rotation.engine.fleet_holds import FleetHolds
from rotation.engine.gatherer import Gatherer
from rotation.engine.inventory import Inventory
from rotation.engine.journal import Journal
from rotation.engine.listing_marks import ListingMarks
from rotation.engine.outcome import Outcome
from rotation.engine.reader import SecretReader
from rotation.engine.reconciler import Reconciler
from rotation.engine.responder import Responder
from rotation.ports import Accounts, Notifier, Probe, Vaults
from rotation.runtime.clock import Clock
from rotation.service import idempotency, inbox
from rotation.service.acceptance import Acceptance
from rotation.service.commands import Commands
from rotation.service.lost_records import LostRecords
from rotation.service.messages import Visit
from rotation.service.notices import Notices
from rotation.service.queries import Queries
from rotation.service.requests import RotationRequest
from rotation.service.scope import Scope
from rotation.service.sweep import Sweep
from rotation.service.triggers import Triggers
from rotation.service.unmanaged import UnmanagedResources
from rotation.service.visits import Visits

from . import wire_level
from .interceptor import Crash
from .port_level.accounts import SimulatedAccounts
from .port_level.notifier import SimulatedNotifier
from .port_level.probe import SimulatedProbe
from .port_level.vaults import SimulatedVaults
from .storage import RETRY_AFTER, RETRY_AFTER_CRASH, SimulatedQueue, SimulatedStore
from .virtual_time import TICK

if TYPE_CHECKING:
    from .world import World


SHORTEST_WAIT = 10 * TICK  # seconds; with a tick it could wake too early again and again


@dataclass(eq=False)
class Worker:
    """``skew`` is the error of its clock. A new worker replaces a crashed one."""

    world: World
    policy: Policy = field(default_factory=lambda: Policy(spread=timedelta()))
    name: str = "worker"
    skew: timedelta = timedelta()
    dead: bool = False
    phase: str = "idle"

    def __post_init__(self) -> None:
        world, interceptor = self.world, self.world.interceptor
        clock = Clock(lambda: world.azure.clock.now() + self.skew)
        accounts, vaults, probe, self.notifier = self._clients(clock)
        store = SimulatedStore(interceptor, world.storage, self)
        self.journal = Journal(store)
        self.emergencies, self.holds = Emergencies(store, clock), FleetHolds(store, clock)
        bindings = BindingRegistry(store, world.bindings, world.vaults)
        inventory = Inventory(vaults, clock, bindings)
        reader = SecretReader(vaults, inventory)
        self.reconciler = Reconciler(
            Gatherer(
                *(accounts, vaults, probe, reader, clock, self.policy),
                bindings,
                self.journal,
                self.holds,
            ),
            self.journal,
            Responder(self.emergencies),
            self.notifier,
        )
        lost = LostRecords(reader, self.journal)
        sweep = Sweep(inventory, bindings, lost, self.journal, self.policy, clock, rate=1000)
        queue = SimulatedQueue(interceptor, world.storage, self)
        journal = self.journal
        visits = Visits(self.reconciler, journal, reader, queue, queue, clock)
        notices = Notices(visits, journal, reader, queue)
        self.triggers = Triggers(visits, notices, sweep, self.emergencies, journal, clock)
        unmanaged = UnmanagedResources(vaults, accounts, bindings, clock)
        marks = ListingMarks(store)
        policy = self.policy
        self.queries = Queries(
            *(journal, inventory, vaults, unmanaged, policy, clock, self.emergencies),
            *(marks, self.holds),
        )
        self.scope = Scope(inventory, reader, journal)
        acceptance = Acceptance(self.scope, self.emergencies, accounts, journal, queue, clock)
        self.commands = Commands(
            self.queries, self.scope, journal, inventory, vaults, queue, clock, acceptance, marks
        )

    @property
    def skewed(self) -> bool:
        return bool(self.skew)

    def _clients(self, clock: Clock) -> tuple[Accounts, Vaults, Probe, Notifier]:
        interceptor, vaults = self.world.interceptor, self.world.vaults
        if self.world.level == "wire":
            return wire_level.clients(interceptor, self, clock, vaults)
        return (
            SimulatedAccounts(interceptor, self, clock),
            SimulatedVaults(interceptor, self, clock, urls=vaults),
            SimulatedProbe(interceptor, self, clock),
            SimulatedNotifier(interceptor, self, self.world.sent),
        )

    async def close(self) -> None:
        """Close the SDK clients of the wire level."""
        for part in (self.reconciler.gatherer.accounts, self.reconciler.gatherer.vaults):
            if hasattr(part, "close"):
                await part.close()

    async def record(self, account: AccountId | None = None) -> Record:
        """Return the stored record, without a call that a fault could hit."""
        return self.world.record(account)

    async def visit(self, account: AccountId | None = None) -> Outcome:
        """Reconcile an account, as the timer does."""
        account = account or self.world.account
        return await self.triggers.visits.visit(Visit(account, self.world.enrolled(account)))

    async def request(self, request: RotationRequest) -> str:
        """Record a request; return its id, or that of an earlier one with the same key.

        An emergency is accepted as the service does. The service refuses a plain request that a
        running operation covers. Here it is recorded, as it is by two workers at the same time, so
        that the reconciler has to merge it.
        """
        if request.is_emergency:
            return (await self.commands.acceptance.request(request, ask_arm=True))[0]
        return await self.request_of_older(request)

    async def request_of_older(self, request: RotationRequest) -> str:
        """Record a request as an earlier version does: an emergency without its document."""
        account, targets = await self.scope.account(request)
        new = inbox.from_operator(account, request, self.triggers.clock.now())
        return await self.commands.submit(Visit(account, targets), new, _added_once)

    async def answer(self, account: AccountId, answer: Request) -> None:
        """Record an operator's answer and enqueue a visit."""
        await self.commands.submit(Visit(account), answer, inbox.added)

    async def run(
        self, limit: timedelta, until: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        """Work through the queue in virtual time, for at most this long, as the only worker."""
        world, messages = self.world, self.world.storage.messages
        end = world.now + limit
        while messages and messages[0][0] <= end and not (until and await until()):
            at, _, text, tries = heapq.heappop(messages)
            world.advance(max(at - world.now, timedelta()))
            await self.handle(text, tries)
        if world.now < end and not until:
            world.advance(end - world.now)

    async def serve(self) -> None:
        """Handle visible messages until it crashes, as one of several workers."""
        storage, arrived = self.world.storage, asyncio.Event()
        storage.arrived.append(arrived.set)
        while not self.dead:
            at = storage.next_at(self.world.now)
            if at is None or at > self.world.now:
                await self._wait(arrived, at)
                continue
            _, _, text, tries = heapq.heappop(storage.messages)
            await self.handle(text, tries)

    async def _wait(self, arrived: asyncio.Event, at: datetime | None) -> None:
        """Wait until the next message is visible or another one arrives."""
        timeout = max((at - self.world.now).total_seconds(), SHORTEST_WAIT) if at else None
        with suppress(TimeoutError):
            await asyncio.wait_for(arrived.wait(), timeout)
        arrived.clear()

    async def handle(self, text: str, tries: int) -> None:
        """Handle a message as the host does: one that failed becomes visible again later."""
        world = self.world
        try:
            await self.triggers.handle_message(text)
        except (RotationError, ValueError) as exc:
            world.interceptor.note(f"{self.name}: a message failed: {type(exc).__name__}")
            world.storage.retry(text, tries, world.now + RETRY_AFTER)
        except Crash:
            world.storage.retry(text, tries, world.now + RETRY_AFTER_CRASH)
            raise


def record_of(document: tuple[bytes, int] | None, account: AccountId) -> Record:
    """Return a stored record, or a new one. One that cannot be read is not at rest."""
    try:
        return codec.load(Record, document[0]) if document else Record(account, "")
    except ValueError:
        return Record(account, "", phase=Phase.VERIFY, waiting="the record cannot be read")


def _added_once(record: Record, request: Request) -> Record | None:
    """Add a request unless its idempotency key is known; a running operation may cover it."""
    known = idempotency.find(record, request)
    return None if known else inbox.added(record, request)
