"""The only place that constructs clients. One credential and one client per vault and subscription

are shared by everything; storage, event and log clients are imported only where they are used.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from .clock import Clock
from .gather import Gatherer
from .inventory import Inventory
from .journal import Journal
from .ports import Evidence, Notifier, Queue, Store
from .rotator import Rotator
from .settings import BadSettings, Settings, load
from .sweep import Sweep
from .triggers import Triggers

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_log = logging.getLogger("rotation")
Transport = Callable[[], Any]


@dataclass(frozen=True)
class Clients:
    """What the core is given; ``transport`` makes HTTP transports where not the default."""

    settings: Settings
    credential: AsyncTokenCredential
    clock: Clock
    transport: Transport | None = None


def check_settings() -> None:
    """Say at start what is wrong, all at once; the triggers then fail with the same words."""
    try:
        load(os.environ)
    except BadSettings as exc:
        _log.error("%s", exc)


@cache
def service() -> Triggers:
    """The process's one service. Raises BadSettings."""
    return build(load(os.environ))


def build(settings: Settings, clock: Clock | None = None) -> Triggers:
    """The service, ready to be triggered. Nothing is sent yet."""
    clients = Clients(settings, credential(settings), clock or Clock())
    return assemble(clients, *_storage(clients))


def assemble(clients: Clients, store: Store, queue: Queue) -> Triggers:
    """The core on the given store and queue."""
    from .adapters.accounts import ArmAccounts
    from .adapters.probe import DataPlaneProbe
    from .adapters.vaults import KeyVaults

    settings, clock, transport = clients.settings, clients.clock, clients.transport
    vaults = KeyVaults(settings.vaults, clients.credential, clock, transport)
    inventory = Inventory(vaults, clock)
    journal = Journal(store)
    gatherer = Gatherer(
        accounts=ArmAccounts(clients.credential, clock, settings.arm, transport),
        vaults=vaults,
        probe=DataPlaneProbe(transport),
        inventory=inventory,
        clock=clock,
        policy=settings.policy,
        evidence=_evidence(clients),
    )
    rotator = Rotator(gatherer, journal, _notifier(clients))
    sweeper = Sweep(inventory, journal, settings.policy, rate=settings.rate, period=settings.period)
    return Triggers(rotator, journal, inventory, vaults, queue, sweeper)


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


def _storage(clients: Clients) -> tuple[Store, Queue]:
    raise NotImplementedError


def _notifier(clients: Clients) -> Notifier | None:
    if clients.settings.topic is None:
        return None
    from .adapters.events import TopicNotifier

    return TopicNotifier(clients.settings.topic, clients.credential)


def _evidence(clients: Clients) -> Evidence | None:
    if clients.settings.logs_workspace is None:
        return None
    from .adapters.evidence import LogEvidence

    return LogEvidence(clients.settings.logs_workspace, clients.credential)
