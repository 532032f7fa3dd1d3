"""The journal and the queue that the workers share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from rotation.domain import codec
from rotation.domain.ids import AccountId
from rotation.domain.record import Record
from rotation.engine.journal import SLUG
from rotation.service import messages
from rotation.service.messages import Visit


@dataclass
class Shared:
    """One blob container and one queue, with its poison queue."""

    connection: str
    journal: ContainerClient
    queue: QueueClient
    poison: QueueClient

    @property
    def settings(self) -> dict[str, str]:
        """The function app's settings for this container and these queues."""
        return {
            "AzureWebJobsStorage": self.connection,
            "ROTATION_JOURNAL_CONTAINER": self.journal.container_name,
            "ROTATION_QUEUE": self.queue.queue_name,
            "ROTATION_EMERGENCY_QUEUE": f"{self.queue.queue_name}-emergencies",
        }

    async def records(self) -> list[Record]:
        """Return the records of all accounts."""
        paths = self.journal.list_blob_names(name_starts_with="accounts/")
        named = [path async for path in paths if len(path.rpartition("/")[2]) == SLUG]
        return [await self._record(path) for path in named]

    async def _record(self, path: str) -> Record:
        stream = await self.journal.download_blob(path)
        return codec.load(Record, await stream.readall())

    async def leased(self) -> set[str]:
        """Return the slugs of the leased accounts."""
        blobs = self.journal.list_blobs(name_starts_with="leases/")
        return {
            blob.name.removeprefix("leases/")
            async for blob in blobs
            if blob.lease.state == "leased"
        }

    async def break_lease(self, account: AccountId) -> bool:
        """Break an account's lease; return False if it is not held."""
        lease = BlobLeaseClient(self.journal.get_blob_client(f"leases/{account.slug}"))
        try:
            await lease.break_lease(lease_break_period=0)
        except (ResourceExistsError, ResourceNotFoundError):
            return False
        return True

    async def ask_for_a_visit(self, account: AccountId) -> None:
        """Enqueue one more message, as a trigger or a second delivery does."""
        await self.queue.send_message(messages.dump(Visit(account)))

    async def poisoned(self) -> int:
        return await _length(self.poison)


async def _length(queue: QueueClient) -> int:
    """Return the number of messages, hidden ones included. A missing queue is empty."""
    try:
        return (await queue.get_queue_properties()).approximate_message_count or 0
    except ResourceNotFoundError:
        return 0


@asynccontextmanager
async def shared_storage(connection: str) -> AsyncIterator[Shared]:
    """Use a container and queues that no other test uses."""
    mark, coded = uuid4().hex[:8], TextBase64EncodePolicy()
    queue = QueueClient.from_connection_string(
        connection, f"work-{mark}", message_encode_policy=coded
    )
    poison = QueueClient.from_connection_string(connection, f"work-{mark}-poison")
    journal = ContainerClient.from_connection_string(connection, f"journal-{mark}")
    async with queue, poison, journal:
        yield Shared(connection, journal, queue, poison)
