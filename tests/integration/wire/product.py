"""The product on the in-process emulator: the real SDK clients, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from emulator.azure import Azure, virtual
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.file_store import FileStore
from rotation.bootstrap.assembly import assemble
from rotation.bootstrap.clients import Clients
from rotation.domain.ids import AccountId
from rotation.domain.record import Record
from rotation.ports import Store
from rotation.runtime.clock import Clock
from rotation.service.messages import Visit
from rotation.service.service import Service
from rotation.service.triggers import Triggers
from rotation.settings import environment as settings

VAULT = "https://kv-demo.vault.azure.net"
TOPIC = "https://topic.westeurope-1.eventgrid.azure.net/api/events"


@dataclass
class VirtualQueue:
    """The queue port in the emulator's time."""

    azure: Azure
    waiting: list[tuple[float, int, str]] = field(default_factory=list)
    put_so_far: int = 0

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        self.put_so_far += 1
        at = (self.azure.clock.now() + delay).timestamp()
        self.waiting.append((at, self.put_so_far, message))


@dataclass
class Product:
    azure: Azure
    service: Service
    queue: VirtualQueue

    @property
    def triggers(self) -> Triggers:
        return self.service.triggers

    async def run(self, limit: timedelta) -> None:
        """Work through the queue, and deliver events, for this long."""
        end = self.azure.clock.now().timestamp() + limit.total_seconds()
        while self.queue.waiting:
            self.queue.waiting.sort()
            at, _, message = self.queue.waiting[0]
            if at > end:
                break
            self.queue.waiting.pop(0)
            self._advance_to(at)
            await self.triggers.handle_message(message)
        self._advance_to(end)

    def _advance_to(self, at: float) -> None:
        ahead = at - self.azure.clock.now().timestamp()
        if ahead > 0:
            self.azure.advance(timedelta(seconds=ahead))

    async def visit(self, account: str = "aoai-demo") -> object:
        return await self.triggers.visits.visit(Visit(self.account(account)))

    def account(self, name: str = "aoai-demo") -> AccountId:
        return AccountId.parse(self.azure.account(name).id)

    async def record(self, account: str = "aoai-demo") -> Record:
        return (await self.triggers.journal.load(self.account(account)))[0]


def playground(*, days: int = 10) -> Azure:
    """One vault, one account, one enrolled secret, one identity with its roles on exactly these.

    The secret expires in ``days``.
    """
    azure = virtual()
    azure.add_vault("kv-demo")
    account = azure.add_account("aoai-demo")
    azure.topics.add("topic")
    identity = azure.add_principal("rotation")
    identity.assign("Key rotator", account.id)
    identity.assign("Secret publisher", azure.vault("kv-demo").id)
    identity.assign("EventGrid Data Sender", azure.topics.id_of("topic"))
    azure.add_secret(
        "kv-demo",
        "ai-key",
        publishes=("aoai-demo", "Key1"),
        tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90", "team": "blue"},
        expires=azure.clock.now() + timedelta(days=days),
    )
    return azure


@asynccontextmanager
async def product(azure: Azure, directory: str, **more: str) -> AsyncIterator[Product]:
    """The product with a journal of files, wired as in production but for transport and queue."""
    async with product_on(azure, FileStore(directory), None, **more) as made:
        yield made


@asynccontextmanager
async def product_on(
    azure: Azure, store: Store, urgent: VirtualQueue | None = None, **more: str
) -> AsyncIterator[Product]:
    """The product with a journal in ``store``, and with a queue for emergencies if given."""
    given = {"ROTATION_VAULTS": VAULT, "ROTATION_TOPIC": TOPIC, "ROTATION_SPREAD": "PT0S"}
    environment = given | more
    clients = Clients(
        settings.load(environment),
        AsyncCredential(azure, azure.identity.principals[0]),
        Clock(azure.clock.now),
        lambda: AsyncEmulatorTransport(azure),
    )
    queue = VirtualQueue(azure)
    service = assemble(clients, store, queue, urgent)
    yield Product(azure, service, queue)
    await service.close()
