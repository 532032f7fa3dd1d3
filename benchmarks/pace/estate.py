"""A fleet on the emulated Azure, and the service on many hosts, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from emulator.azure import GROUP, virtual
from emulator.sdk.transport import AsyncCredential
from rotation.bootstrap.assembly import assemble
from rotation.bootstrap.clients import Clients
from rotation.domain.ids import AccountId
from rotation.runtime.clock import Clock
from rotation.service.service import Service
from rotation.settings import environment as settings
from tests.simulation.harness.port_level.notifier import SimulatedNotifier
from tests.simulation.harness.port_level.probe import SimulatedProbe
from tests.simulation.harness.storage import SimulatedStore, Storage

from .bound import Place
from .hosts import Host, TimedQueue
from .latencies import Latencies
from .ports import PRINCIPAL, LimitedAccounts, LimitedVaults, TimedInterceptor

START = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True)
class Shape:
    """``keys`` accounts, dealt to the subscriptions and the vaults in turn."""

    keys: int
    subscriptions: int
    vaults: int

    @property
    def name(self) -> str:
        """Return the counts, such as ``100 subscriptions, 1 vault``."""
        return f"{_count(self.subscriptions, 'subscription')}, {_count(self.vaults, 'vault')}"

    def place(self, number: int) -> Place:
        """Return the place of an account. All vaults are in one region."""
        vault = number % self.vaults
        owner = vault % self.subscriptions
        name = f"sub-{number % self.subscriptions:03}"
        return Place(name, f"kv-{vault:03}", f"sub-{owner:03}")

    def places(self) -> list[Place]:
        return [self.place(number) for number in range(self.keys)]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number > 1 else "")


@dataclass(eq=False)
class _Process:
    """The process of one host, as the interceptor sees it."""

    name: str
    dead: bool = False
    phase: str = "idle"
    skewed: bool = False


class Estate:
    """A fleet whose keys are all due; ``storage`` is shared by all hosts."""

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        self.shape, self.azure = shape, virtual(START, seed)
        self.interceptor = TimedInterceptor(self.azure, latencies=Latencies(seed))
        self.storage = Storage()
        self.queue, self.urgent = TimedQueue(self.interceptor), TimedQueue(self.interceptor)
        self.azure.add_principal(PRINCIPAL)
        self.accounts = [self._add(number, place) for number, place in enumerate(shape.places())]

    def _add(self, number: int, place: Place) -> AccountId:
        if f"{place.vault}.vault.azure.net" not in self.azure.keyvault.vaults:
            self.azure.add_vault(place.vault, subscription=place.region)
        account = AccountId(place.subscription, GROUP, f"account-{number:06}")
        self.azure.add_account(account.name, subscription=place.subscription)
        self.azure.add_secret(
            place.vault,
            f"key-{number:06}",
            value=self.azure.accounts.by_id[str(account).lower()].keys["Key1"],
            tags={"ProviderAddress": str(account), "ValidityPeriodDays": "90"},
            expires=START + timedelta(days=10),
        )
        return account

    @cached_property
    def settings(self) -> dict[str, str]:
        """Return the settings of the service."""
        places = {(place.vault, place.subscription) for place in self.shape.places()}
        bound = ",".join(f"{vault}=/subscriptions/{sub}" for vault, sub in sorted(places))
        vaults = ",".join(vault.url for vault in self.azure.keyvault.vaults.values())
        return {
            "ROTATION_VAULTS": vaults,
            "ROTATION_BINDINGS": bound,
            "ROTATION_SPREAD": "PT0S",
        }

    def service(self, name: str) -> Service:
        """Return the service as one process has it."""
        by = _Process(name)
        credential = AsyncCredential(self.azure, self.azure.identity.principals[0])
        clients = _Clients(
            settings.load(self.settings),
            credential,
            Clock(self.azure.clock.now),
            interceptor=self.interceptor,
            by=by,
        )
        store = SimulatedStore(self.interceptor, self.storage, by)
        return assemble(clients, store, self.queue, self.urgent)

    def _hosts_of(self, service: Service, batch: int, number: int) -> tuple[Host, Host]:
        """Return the triggers of both queues."""
        handle = service.triggers.handle_message
        urgent = partial(handle, urgent=True)
        return Host(self.queue, handle, batch, number), Host(self.urgent, urgent, batch, number)

    @asynccontextmanager
    async def hosts(self, workers: int, batch: int) -> AsyncIterator[Service]:
        """Run hosts; yield the service of the one that also runs the timers and the API."""
        services = [self.service(f"worker-{number}") for number in range(workers)]
        hosts = [
            host
            for number, service in enumerate(services)
            for host in self._hosts_of(service, batch, number)
        ]
        tasks = [asyncio.create_task(host.run()) for host in hosts]
        try:
            yield services[0]
        finally:
            for task in tasks:
                task.cancel()


@dataclass(frozen=True, kw_only=True)
class _Clients(Clients):
    """Clients on the emulator's state instead of the SDKs'."""

    interceptor: TimedInterceptor
    by: _Process

    def accounts(self) -> Any:
        return LimitedAccounts(self.interceptor, self.by, self.clock, limits=self.limits)

    def vaults(self) -> Any:
        return LimitedVaults(
            self.interceptor, self.by, self.clock, urls=self.settings.vaults, limits=self.limits
        )

    def probe(self) -> Any:
        return SimulatedProbe(self.interceptor, self.by, self.clock)

    def notifier(self) -> Any:
        return SimulatedNotifier(self.interceptor, self.by)
