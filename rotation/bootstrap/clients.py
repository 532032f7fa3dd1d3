"""Azure clients, built from the settings. Each imports its SDK when it is built."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..engine.pressures import Pressures
from ..ops.proof import Prover
from ..ports import Evidence, Notifier, Probe, Queue, Store
from ..runtime.clock import Clock
from ..settings.environment import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from ..adapters.app_refresher import AppRefresher
    from ..adapters.cognitive_services import ArmAccounts
    from ..adapters.consumer_health import ConsumerHealth
    from ..adapters.key_vault import KeyVaults
    from ..adapters.pipeline import TransportFactory
    from ..adapters.probe import DataPlaneProbe
    from ..adapters.resource_manager import ArmResources

_log = logging.getLogger("rotation")

Handler = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Clients:
    """Builds clients that share a credential and a clock.

    ``transport`` makes their HTTP transports; None for the default. ``limits`` learns from the
    answers of Resource Manager and of Key Vault.
    """

    settings: Settings
    credential: AsyncTokenCredential
    clock: Clock
    transport: TransportFactory | None = None
    limits: Pressures = field(default_factory=Pressures)

    def accounts(self) -> ArmAccounts:
        """Return clients for Azure AI accounts, one per subscription."""
        from ..adapters.cognitive_services import ArmAccounts

        return ArmAccounts(
            self.credential, self.clock, self.settings.cloud, self.transport, self.limits
        )

    def vaults(self) -> KeyVaults:
        """Return clients for the configured vaults, one per vault."""
        from ..adapters.key_vault import KeyVaults

        settings = self.settings
        return KeyVaults(
            settings.vaults,
            self.credential,
            self.clock,
            self.transport,
            settings.formats,
            self.limits,
        )

    def resources(self) -> ArmResources:
        """Return a client for Resource Manager."""
        from ..adapters.resource_manager import ArmResources

        return ArmResources(self.credential, self.clock, self.settings.cloud, self.transport)

    def probe(self) -> DataPlaneProbe:
        """Return a client for the accounts' data planes."""
        from ..adapters.probe import DataPlaneProbe

        return DataPlaneProbe(self.transport, self.settings.cloud, self.settings.probe_overrides)

    def prover(self, probe: Probe) -> Prover:
        """Return what makes the calls of a proof with this client."""
        return Prover(probe, self.settings.cloud, self.settings.probe_overrides)

    def notifier(self) -> Notifier | None:
        """Return a client for the Event Grid topic, or None if none is configured."""
        if self.settings.topic is None:
            return None
        from ..adapters.topic_notifier import TopicNotifier

        scope = self.settings.cloud.events
        return TopicNotifier(self.settings.topic, self.credential, self.transport, scope)

    def evidence(self) -> Evidence | None:
        """Return a client for the Log Analytics workspace, or None if none is configured."""
        if self.settings.logs_workspace is None:
            return None
        from ..adapters.log_analytics import LogEvidence

        workspace, endpoint = self.settings.logs_workspace, self.settings.cloud.logs
        return LogEvidence(workspace, self.credential, self.clock, self.transport, endpoint)

    def health(self) -> ConsumerHealth | None:
        """Return a client that asks consumers for the key in use, or None if none can be asked."""
        if not self.settings.policy.consumers.have_checks:
            return None
        from ..adapters.consumer_health import ConsumerHealth

        return ConsumerHealth(self.credential, self.transport)

    def refresher(self) -> AppRefresher | None:
        """Return a client that lets apps read their secrets again, or None if it has none."""
        if not self.settings.policy.consumers.have_resources:
            return None
        from ..adapters.app_refresher import AppRefresher

        return AppRefresher(self.credential, self.clock, self.settings.cloud, self.transport)


def azure_credential(settings: Settings) -> AsyncTokenCredential:
    """Return the managed identity, or a developer's sign-in if the settings require it."""
    if settings.credential == "developer":
        from azure.identity.aio import (
            AzureCliCredential,
            AzureDeveloperCliCredential,
            ChainedTokenCredential,
        )

        return ChainedTokenCredential(AzureCliCredential(), AzureDeveloperCliCredential())
    from azure.identity.aio import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=settings.client_id)


def storage(
    settings: Settings, credential: AsyncTokenCredential, handler: Handler, urgent: Handler
) -> tuple[Store, Queue, Queue]:
    """Return Azure Storage's blobs and queues, or a directory and queues in this process.

    The second queue is for emergencies.
    """
    if settings.storage is None:
        from ..adapters.file_store import FileStore

        _log.warning("no storage account is configured: using a local directory as the journal")
        store = FileStore(settings.journal_directory)
        return store, in_process_queue(handler), in_process_queue(urgent)
    from ..adapters.blob_store import BlobStore
    from ..adapters.fallback_queue import FallbackQueue
    from ..adapters.pipeline import storage_options
    from ..adapters.storage import services
    from ..adapters.storage_queue import StorageQueue

    blobs, queues = services(settings.storage, credential, storage_options())
    work = StorageQueue(queues, settings.queue_name)
    emergencies = FallbackQueue(StorageQueue(queues, settings.emergency_queue), work)
    return BlobStore(blobs, settings.journal_container), work, emergencies


def documents(settings: Settings, credential: AsyncTokenCredential) -> Store:
    """Return the store alone, for tools that only read it."""
    if settings.storage is None:
        from ..adapters.file_store import FileStore

        return FileStore(settings.journal_directory)
    from ..adapters.blob_store import BlobStore
    from ..adapters.pipeline import storage_options
    from ..adapters.storage import services

    blobs, _ = services(settings.storage, credential, storage_options())
    return BlobStore(blobs, settings.journal_container)


def in_process_queue(handler: Handler) -> Queue:
    """Return a queue that calls ``handler`` for its messages in this process."""
    from ..adapters.in_process_queue import InProcessQueue

    return InProcessQueue(handler)
