"""The service on one vault and one account in memory, with its two queues."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rotation.domain.access import Caller, Role
from rotation.domain.errors import RotationError
from rotation.engine.fleet_holds import FleetHolds
from rotation.engine.listing_marks import ListingMarks
from rotation.runtime.clock import Clock
from rotation.service import messages
from rotation.service.acceptance import Acceptance
from rotation.service.audit import AuditTrail
from rotation.service.commands import Commands
from rotation.service.fleet_hold import Holding
from rotation.service.health import Health
from rotation.service.identification import Identification
from rotation.service.last_readers import LastReaders
from rotation.service.lost_records import LostRecords
from rotation.service.notices import Notices
from rotation.service.previews import Previews
from rotation.service.queries import Queries
from rotation.service.releases import Releases
from rotation.service.scope import Scope
from rotation.service.sweep import Sweep
from rotation.service.triggers import Triggers
from rotation.service.unmanaged import UnmanagedResources
from rotation.service.visits import Visits
from tests.unit.decisions.account import ACCOUNT
from tests.unit.engine.test_gatherer import ONE
from tests.unit.engine.test_reconciler import Account

CALLER = Caller("ben", frozenset({Role.OPERATE}), "call-2")
PERIOD = timedelta(minutes=15)


class Messages:
    """A queue in memory: each message with its delay."""

    def __init__(self) -> None:
        self.error: RotationError | None = None
        self.sent: list[tuple[object, timedelta]] = []

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        if self.error:
            raise self.error
        self.sent.append((messages.load(message), delay))


class Service(Account):
    """An account with one published secret, and the parts of the service that act on it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.clock = Clock(lambda: self.now)
        self.queue, self.urgent = Messages(), Messages()
        reader, store = self.gatherer.reader, self.store
        inventory, bindings = reader.inventory, self.gatherer.bindings
        self.marks, self.holds = ListingMarks(store), FleetHolds(store, self.clock)
        self.queries = Queries(
            self.journal,
            inventory,
            self.vaults,
            UnmanagedResources(self.vaults, self.accounts, bindings, self.clock),
            self.gatherer.policy,
            self.clock,
            self.emergencies,
            self.marks,
            self.holds,
            PERIOD,
        )
        self.scope = Scope(inventory, reader, self.journal)
        self.acceptance = Acceptance(
            *(self.scope, self.emergencies, self.accounts, self.journal, self.queue, self.clock)
        )
        self.commands = Commands(
            self.queries,
            self.scope,
            self.journal,
            inventory,
            self.vaults,
            self.queue,
            self.clock,
            self.acceptance,
            self.marks,
        )
        self.visits = Visits(
            self.reconciler, self.journal, reader, self.queue, self.urgent, self.clock
        )
        self.notices = Notices(self.visits, self.journal, reader, self.queue)
        self.audit = AuditTrail(self.queries)
        self.health = Health(self.queries, self.journal, self.clock, PERIOD)
        self.identification = Identification(
            self.queries, inventory, self.vaults, self.accounts, self.clock, rate=1, seconds=2
        )

        self.holding = Holding(self.holds, self.clock)
        self.releases = Releases(self.scope, self.journal, self.queue)
        self.readers = LastReaders(
            self.queries, self.vaults, self.logs, frozenset({"scanner"}), self.clock
        )
        self.sweeper = Sweep(
            inventory,
            bindings,
            LostRecords(reader, self.journal),
            self.journal,
            self.gatherer.policy,
            self.clock,
        )
        self.previews = Previews(
            self.queries,
            self.scope,
            self.reconciler,
            self.sweeper,
            inventory,
            self.vaults,
            self.clock,
        )
        self.triggers = Triggers(
            *(self.visits, self.notices, self.sweeper, self.emergencies, self.journal, self.clock)
        )

    async def rest(self) -> None:
        """Visit the account until it is at rest."""
        for _ in range(2):
            await self.reconciler.reconcile(ACCOUNT, [ONE])
