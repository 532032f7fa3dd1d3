"""What the workers share, as clients of our own see it: the journal and the queue."""

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
        """The function app's, for these."""
        return {
            "AzureWebJobsStorage": self.connection,
            "ROTATION_JOURNAL_CONTAINER": self.journal.container_name,
            "ROTATION_QUEUE": self.queue.queue_name,
        }

    async def records(self) -> list[Record]:
        """Of all accounts; what else the journal holds is none."""
        paths = self.journal.list_blob_names(name_starts_with="accounts/")
        return [await self._record(path) async for path in paths if not path.endswith("/sweep")]

    async def _record(self, path: str) -> Record:
        stream = await self.journal.download_blob(path)
        return codec.load(Record, await stream.readall())

    async def leased(self) -> set[str]:
        """The accounts, by slug, that some worker has a lease on."""
        blobs = self.journal.list_blobs(name_starts_with="leases/")
        return {
            blob.name.removeprefix("leases/")
            async for blob in blobs
            if blob.lease.state == "leased"
        }

    async def break_lease(self, account: AccountId) -> bool:
        """Take an account's lease from whoever holds it; False where nobody does."""
        lease = BlobLeaseClient(self.journal.get_blob_client(f"leases/{account.slug}"))
        try:
            await lease.break_lease(lease_break_period=0)
        except (ResourceExistsError, ResourceNotFoundError):
            return False
        return True

    async def ask_for_a_visit(self, account: AccountId) -> None:
        """One message more, as a trigger or a second delivery of one would bring it."""
        await self.queue.send_message(messages.dump(Visit(account)))

    async def waiting(self) -> int:
        return await _length(self.queue)

    async def poisoned(self) -> int:
        return await _length(self.poison)


async def _length(queue: QueueClient) -> int:
    """With the messages that are hidden. A queue that was never needed is empty."""
    try:
        return (await queue.get_queue_properties()).approximate_message_count or 0
    except ResourceNotFoundError:
        return 0


@asynccontextmanager
async def shared_storage(connection: str) -> AsyncIterator[Shared]:
    """Under names that no other test uses."""
    mark, coded = uuid4().hex[:8], TextBase64EncodePolicy()
    queue = QueueClient.from_connection_string(
        connection, f"work-{mark}", message_encode_policy=coded
    )
    poison = QueueClient.from_connection_string(connection, f"work-{mark}-poison")
    journal = ContainerClient.from_connection_string(connection, f"journal-{mark}")
    async with queue, poison, journal:
        yield Shared(connection, journal, queue, poison)
