"""The only place that constructs clients. One credential and one client per vault and subscription

are shared by everything; storage, event and log clients are imported only where they are used.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from .engine.gatherer import Gatherer
from .engine.inventory import Inventory
from .engine.journal import Journal
from .engine.reconciler import Rotator
from .ops.doctor.doctor import Doctor
from .ports import Evidence, Notifier, Queue, Store
from .runtime.clock import Clock
from .service.commands import Console
from .service.sweep import Sweep
from .service.triggers import Triggers
from .settings.environment import BadSettings, Settings, access, load
from .web.authentication import Doors

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from .adapters.cognitive_services import ArmAccounts
    from .adapters.key_vault import KeyVaults
    from .adapters.resource_manager import ArmResources
    from .ops.discovery import Discovery
    from .ops.enrolment.enroller import Enroller

_log = logging.getLogger("rotation")

Transport = Callable[[], Any]

Handler = Callable[[str], Awaitable[None]]

_Storage = tuple[Store, Queue]


@dataclass(frozen=True)
class Clients:
    """What the core is given; ``transport`` makes HTTP transports where not the default."""

    settings: Settings
    credential: AsyncTokenCredential
    clock: Clock
    transport: Transport | None = None


@dataclass(frozen=True)
class OperatorTools:
    """Operator tools that need neither journal nor queue."""

    discovery: Discovery
    enroller: Enroller
    closing: tuple[Callable[[], Awaitable[object]], ...]

    async def close(self) -> None:
        for close in self.closing:
            await close()


def check_settings() -> None:
    """Say at start what is wrong, all at once; the triggers then fail with the same words."""
    try:
        load(os.environ)
    except BadSettings as exc:
        _log.error("%s", exc)


@cache
def console() -> Console:
    """The process's one service, with what people may ask of it. Raises BadSettings."""
    return build(load(os.environ))


@cache
def service() -> Triggers:
    """The process's one service. Raises BadSettings."""
    return console().triggers


@cache
def doors() -> Doors:
    """Which ways into the HTTP API are open; decided once, at start."""
    return Doors(*access(os.environ))


def build(settings: Settings, *, by_hand: bool = False) -> Console:
    """The service, ready to be triggered. Nothing is sent yet.

    ``by_hand``: for an operator at a terminal. The journal and its lease are the same, but the
    steps run in this very process.
    """
    identity = credential(settings)

    async def handle(message: str) -> None:
        await made.triggers.message(message)

    store, queue = _storage(settings, identity, handle)
    if by_hand:
        from .adapters.in_process_queue import EmbeddedQueue

        queue = EmbeddedQueue(handle)
    made = assemble(Clients(settings, identity, Clock()), store, queue)
    return made


def operator_tools(settings: Settings) -> OperatorTools:
    """Construct an operator's tools. Sends nothing yet."""
    from .ops.discovery import Discovery
    from .ops.enrolment.enroller import Enroller

    clients = Clients(settings, credential(settings), Clock())
    accounts, vaults, resources = _azure(clients)
    return OperatorTools(
        Discovery(resources, accounts, vaults),
        Enroller(accounts, vaults, clients.clock, settings.policy),
        tuple(part.close for part in (accounts, vaults, resources, clients.credential)),
    )


def assemble(clients: Clients, store: Store, queue: Queue) -> Console:
    """The core on the given store and queue."""
    from .adapters.probe import DataPlaneProbe

    settings, clock = clients.settings, clients.clock
    accounts, vaults, resources = _azure(clients)
    probe = DataPlaneProbe(clients.transport)
    notifier, evidence = _notifier(clients), _evidence(clients)
    inventory = Inventory(vaults, clock)
    journal = Journal(store)
    gatherer = Gatherer(
        accounts,
        vaults,
        probe,
        inventory,
        clock,
        settings.policy,
        evidence,
        settings.evidence_ignore,
    )
    rotator = Rotator(gatherer, journal, notifier)
    sweeper = Sweep(inventory, journal, settings.policy, rate=settings.rate, period=settings.period)
    owned: tuple[Any, ...] = (
        *(queue, accounts, vaults, resources, probe, notifier, evidence, store),
        clients.credential,
    )
    closing = tuple(part.close for part in owned if hasattr(part, "close"))
    triggers = Triggers(rotator, journal, inventory, vaults, queue, sweeper, closing)
    doctor = Doctor(resources, accounts, vaults, journal, clock, settings.policy)
    return Console(triggers, settings.policy, settings.period, doctor)


def _azure(clients: Clients) -> tuple[ArmAccounts, KeyVaults, ArmResources]:
    """Azure itself: one client for each vault and subscription, whoever asks."""
    from .adapters.cognitive_services import ArmAccounts
    from .adapters.key_vault import KeyVaults
    from .adapters.resource_manager import ArmResources

    settings, clock, transport = clients.settings, clients.clock, clients.transport
    return (
        ArmAccounts(clients.credential, clock, settings.arm, transport),
        KeyVaults(settings.vaults, clients.credential, clock, transport),
        ArmResources(clients.credential, clock, settings.arm, transport),
    )


def credential(settings: Settings) -> AsyncTokenCredential:
    """The managed identity; a developer's own sign-in only where a setting says so."""
    if settings.credential == "developer":
        from azure.identity.aio import (
            AzureCliCredential,
            AzureDeveloperCliCredential,
            ChainedTokenCredential,
        )

        return ChainedTokenCredential(AzureCliCredential(), AzureDeveloperCliCredential())
    from azure.identity.aio import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=settings.client_id)


def _storage(settings: Settings, credential: AsyncTokenCredential, handle: Handler) -> _Storage:
    """Blobs and a queue where storage is configured, else a directory and this process."""
    if settings.storage is None:
        from .adapters.file_store import FileStore
        from .adapters.in_process_queue import EmbeddedQueue

        _log.warning("no storage is configured: the journal is a directory, for local work only")
        return FileStore(settings.journal_directory), EmbeddedQueue(handle)
    from .adapters import storage
    from .adapters.blob_store import BlobStore
    from .adapters.pipeline import storage_options
    from .adapters.storage_queue import StorageQueue

    blobs, queues = storage.services(settings.storage, credential, storage_options())
    return BlobStore(blobs, settings.journal_container), StorageQueue(queues, settings.queue_name)


def _notifier(clients: Clients) -> Notifier | None:
    if clients.settings.topic is None:
        return None
    from .adapters.event_grid import TopicNotifier

    return TopicNotifier(clients.settings.topic, clients.credential, clients.transport)


def _evidence(clients: Clients) -> Evidence | None:
    workspace = clients.settings.logs_workspace
    if workspace is None:
        return None
    from .adapters.log_analytics import LogEvidence

    return LogEvidence(workspace, clients.credential, clients.clock, clients.transport)
