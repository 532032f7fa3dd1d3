"""The work queue in Azure Queue Storage, read by the host's queue trigger."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from .storage import code_of, failed
from .storage_limits import delay_seconds

ROLE = "Storage Queue Data Contributor"

_NEVER = -1


class StorageQueue:
    """A Queue, which the first message creates. The host expects Base64 by default."""

    def __init__(self, service: QueueServiceClient, name: str) -> None:
        self._service = service
        self._client: QueueClient = service.get_queue_client(
            name, message_encode_policy=TextBase64EncodePolicy()
        )

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        """Enqueue a message. A lost response is Transient: delivery is at least once anyway."""
        seconds = delay_seconds(delay)
        try:
            try:
                await self._send(message, seconds)
            except ResourceNotFoundError as exc:
                if code_of(exc) != "QueueNotFound":
                    raise
                with suppress(ResourceExistsError):
                    await self._client.create_queue()
                await self._send(message, seconds)
        except AzureError as exc:
            raise failed(exc, f"put into queue {self._client.queue_name}", ROLE) from None

    async def close(self) -> None:
        await self._client.close()
        await self._service.close()

    async def _send(self, message: str, seconds: int) -> None:
        """Send a message that never expires, not even while the function is stopped."""
        await self._client.send_message(message, visibility_timeout=seconds, time_to_live=_NEVER)
