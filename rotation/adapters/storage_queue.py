"""The work queue in Azure Queue Storage; the Functions host takes the messages out."""

from __future__ import annotations

from datetime import timedelta

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from .failures import failure

LONGEST = timedelta(days=7) - timedelta(minutes=1)
_FOREVER = -1


class StorageQueue:
    """Messages in base64, which is the host's default encoding."""

    def __init__(self, service: QueueServiceClient, name: str) -> None:
        self._service = service
        self._queue: QueueClient = service.get_queue_client(
            name, message_encode_policy=TextBase64EncodePolicy()
        )

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        seconds = int(min(max(delay, timedelta()), LONGEST).total_seconds())
        try:
            await self._send(message, seconds)
        except AzureError as exc:
            raise failure(exc, "enqueue a message") from None

    async def _send(self, message: str, seconds: int) -> None:
        try:
            await self._put(message, seconds)
        except ResourceNotFoundError:
            await self._create()
            await self._put(message, seconds)

    async def _put(self, message: str, seconds: int) -> None:
        await self._queue.send_message(message, visibility_timeout=seconds, time_to_live=_FOREVER)

    async def _create(self) -> None:
        try:
            await self._queue.create_queue()
        except ResourceExistsError:
            return

    async def close(self) -> None:
        await self._queue.close()
        await self._service.close()
