"""Builds a service from its settings."""

from __future__ import annotations

from collections.abc import Iterable

from ..engine.bindings import BindingRegistry
from ..engine.consumers import ConsumerChecks
from ..engine.emergencies import Emergencies
from ..engine.fleet_holds import FleetHolds
from ..engine.gatherer import Gatherer
from ..engine.inventory import Inventory
from ..engine.journal import Journal
from ..engine.listing_marks import ListingMarks
from ..engine.nudging import Nudging
from ..engine.reader import SecretReader
from ..engine.reconciler import Reconciler
from ..engine.responder import Responder
from ..ops.doctor.doctor import Doctor
from ..ops.pace import Pace
from ..ports import Queue, Store
from ..runtime.clock import Clock
from ..service.acceptance import Acceptance
from ..service.audit import AuditTrail
from ..service.commands import Commands
from ..service.fleet_hold import Holding
from ..service.health import Health
from ..service.identification import Identification
from ..service.last_readers import LastReaders
from ..service.lost_records import LostRecords
from ..service.notices import Notices
from ..service.previews import Previews
from ..service.queries import Queries
from ..service.releases import Releases
from ..service.scope import Scope
from ..service.service import Close, Service
from ..service.sweep import Sweep
from ..service.triggers import Triggers
from ..service.unmanaged import UnmanagedResources
from ..service.visits import Visits
from ..settings.environment import Settings
from .clients import Clients, azure_credential, in_process_queue, storage


def build(settings: Settings, *, in_process: bool = False) -> Service:
    """Build a service that is ready to be triggered. Nothing is sent yet.

    With ``in_process``, for an operator at a terminal, visits run in this process rather than in
    the deployed function; the journal and its leases are the same.
    """
    credential = azure_credential(settings)

    async def handle(message: str) -> None:
        await service.triggers.handle_message(message)

    async def handle_urgent(message: str) -> None:
        await service.triggers.handle_message(message, urgent=True)

    store, queue, urgent = storage(settings, credential, handle, handle_urgent)
    if in_process:
        queue, urgent = in_process_queue(handle), in_process_queue(handle_urgent)
    clients = Clients(settings, credential, Clock())
    service = assemble(clients, store, queue, urgent, as_operator=in_process)
    return service


def assemble(
    clients: Clients,
    store: Store,
    queue: Queue,
    urgent: Queue | None = None,
    *,
    as_operator: bool = False,
) -> Service:
    """Build a service on the given store and queues, which it closes.

    ``urgent`` is the emergencies' queue; without one they use the same as all other work.

    An operator's own ROTATION_BINDINGS only count if the store holds none of the service.
    """
    settings, clock, policy = clients.settings, clients.clock, clients.settings.policy
    accounts, vaults, resources = clients.accounts(), clients.vaults(), clients.resources()
    probe, notifier, evidence = clients.probe(), clients.notifier(), clients.evidence()
    health, refresher = clients.health(), clients.refresher()
    urgent = urgent or queue
    owned = (
        queue,
        urgent,
        accounts,
        vaults,
        resources,
        probe,
        notifier,
        evidence,
        health,
        refresher,
        store,
    )

    bindings = BindingRegistry(store, settings.bindings, settings.vaults, as_operator=as_operator)
    inventory, journal = Inventory(vaults, clock, bindings), Journal(store)
    marks, reader = ListingMarks(store), SecretReader(vaults, inventory, settings.formats)
    ignored = settings.evidence_ignore
    reading = (accounts, vaults, probe, reader, clock, policy)
    holds = FleetHolds(store, clock)
    checks = ConsumerChecks(health) if health else None
    gatherer = Gatherer(*reading, bindings, journal, holds, evidence, ignored, checks)
    emergencies = Emergencies(store, clock)
    nudging = Nudging(refresher, policy.consumers, clock) if refresher else None
    reconciler = Reconciler(gatherer, journal, Responder(emergencies), notifier, nudging)
    lost = LostRecords(reader, journal)
    sweeper = Sweep(
        inventory, bindings, lost, journal, policy, clock, settings.rate, settings.period
    )
    visits = Visits(reconciler, journal, reader, queue, urgent, clock, clients.limits)
    notices = Notices(visits, journal, reader, queue)
    unmanaged = UnmanagedResources(vaults, accounts, bindings, clock)
    queries = Queries(
        *(journal, inventory, vaults, unmanaged, policy, clock, emergencies, marks, holds),
        settings.period,
    )
    scope = Scope(inventory, reader, journal, settings.drill_accounts)
    return Service(
        triggers=Triggers(visits, notices, sweeper, emergencies, journal, clock),
        commands=Commands(
            queries,
            scope,
            journal,
            inventory,
            vaults,
            queue,
            clock,
            Acceptance(scope, emergencies, accounts, journal, urgent, clock),
            marks,
        ),
        releases=Releases(scope, journal, queue),
        queries=queries,
        previews=Previews(queries, scope, reconciler, sweeper, inventory, vaults, clock),
        health=Health(queries, journal, clock, settings.period),
        doctor=Doctor(
            *(resources, accounts, vaults, journal, clock, policy, bindings),
            clients.prover(probe),
            Pace(settings.rate, longest=10),  # a client waits for the reply
        ),
        identification=Identification(queries, inventory, vaults, accounts, clock, settings.rate),
        readers=LastReaders(queries, vaults, evidence, ignored, clock),
        holding=Holding(holds, clock),
        audit=AuditTrail(queries),
        closing=closing((*owned, clients.credential)),
    )


def closing(owned: Iterable[object]) -> tuple[Close, ...]:
    """Return the ``close`` methods of the objects that have one."""
    return tuple(part.close for part in owned if hasattr(part, "close"))
