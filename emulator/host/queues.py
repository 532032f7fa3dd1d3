"""Queue triggers on a real storage queue: batches, renewal, tries, and the poison queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.functions import meta
from azure.functions.queue import QueueMessageInConverter
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from .functions import Function, HostSettings

_log = logging.getLogger("host")
HIDDEN = timedelta(minutes=10)
FIRST_POLL = 0.1


class Queue:
    """One queue function. The host renews a message's visibility for as long as it runs."""

    def __init__(
        self, function: Function, settings: HostSettings, hidden: timedelta = HIDDEN
    ) -> None:
        self.function = function
        self._settings, self._hidden = settings, hidden
        self._name = str(function.trigger["queueName"])
        self._connection = str(function.trigger.get("connection") or "AzureWebJobsStorage")

    @property
    def is_connected(self) -> bool:
        """Whether the connection that the trigger names is set at all."""
        names = ("", "__queueServiceUri", "__accountName")
        return any(os.environ.get(self._connection + name) for name in names)

    async def run(self) -> None:
        """Poll for ever, until cancelled; slower and slower while the queue is empty."""
        async with self._service() as service:
            queue, poison = (
                self._client(service, self._name),
                self._client(service, self._name + "-poison"),
            )
            running: set[asyncio.Task[None]] = set()
            pause = FIRST_POLL
            try:
                while True:
                    taken = 0
                    if len(running) <= self._settings.new_batch_threshold:
                        taken = await self._take(queue, poison, running)
                    longest = self._settings.max_polling.total_seconds()
                    pause = FIRST_POLL if taken else min(pause * 2, longest)
                    await asyncio.sleep(pause)
            finally:
                for task in list(running):
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    async def _take(
        self, queue: QueueClient, poison: QueueClient, running: set[asyncio.Task[None]]
    ) -> int:
        taken = 0
        try:
            size = min(self._settings.batch_size, 32)
            pages = queue.receive_messages(
                messages_per_page=size,
                max_messages=size,
                visibility_timeout=int(self._hidden.total_seconds()),
            )
            async for message in pages:
                task = asyncio.create_task(self._process(queue, poison, message))
                running.add(task)
                task.add_done_callback(running.discard)
                taken += 1
        except ResourceNotFoundError:
            await _create(queue)
        except AzureError as exc:
            _log.warning("queue %s: %s", self._name, type(exc).__name__)
        return taken

    async def _process(self, queue: QueueClient, poison: QueueClient, message: Any) -> None:
        renewal = asyncio.create_task(_renew(queue, message, self._hidden))
        try:
            succeeded = await self._call(message)
        finally:
            renewal.cancel()
        with contextlib.suppress(HttpResponseError):
            if succeeded:
                await queue.delete_message(message.id, message.pop_receipt)
            elif message.dequeue_count >= self._settings.max_dequeue_count:
                await _poison(queue, poison, message)
            else:
                delay = int(self._settings.visibility_timeout.total_seconds())
                await queue.update_message(
                    message.id, message.pop_receipt, visibility_timeout=delay
                )

    async def _call(self, message: Any) -> bool:
        try:
            await self.function.invoke(_argument(message), self._settings.timeout)
        except Exception:
            _log.exception("function %s failed", self.function.name)
            return False
        return True

    def _client(self, service: QueueServiceClient, name: str) -> QueueClient:
        if not self._settings.base64:
            return service.get_queue_client(name)
        return service.get_queue_client(
            name,
            message_encode_policy=TextBase64EncodePolicy(),
            message_decode_policy=TextBase64DecodePolicy(),
        )

    def _service(self) -> QueueServiceClient:
        text = os.environ.get(self._connection)
        if text:
            return QueueServiceClient.from_connection_string(text)
        account = os.environ.get(f"{self._connection}__accountName", "")
        default = f"https://{account}.queue.core.windows.net"
        url = os.environ.get(f"{self._connection}__queueServiceUri", default)
        client_id = os.environ.get(f"{self._connection}__clientId")
        return QueueServiceClient(url, ManagedIdentityCredential(client_id=client_id))


def _argument(message: Any) -> Any:
    def when(moment: datetime | None) -> meta.Datum:
        return meta.Datum(moment.isoformat() if moment else "", "string")

    metadata = {
        "Id": meta.Datum(message.id, "string"),
        "DequeueCount": meta.Datum(str(message.dequeue_count), "string"),
        "PopReceipt": meta.Datum(message.pop_receipt, "string"),
        "InsertionTime": when(message.inserted_on),
        "ExpirationTime": when(message.expires_on),
        "NextVisibleTime": when(message.next_visible_on),
    }
    datum = meta.Datum(message.content, "string")
    return QueueMessageInConverter.decode(datum, trigger_metadata=metadata)


async def _renew(queue: QueueClient, message: Any, hidden: timedelta) -> None:
    while True:
        await asyncio.sleep(hidden.total_seconds() / 2)
        renewed = await queue.update_message(
            message.id, message.pop_receipt, visibility_timeout=int(hidden.total_seconds())
        )
        message.pop_receipt = renewed.pop_receipt


async def _poison(queue: QueueClient, poison: QueueClient, message: Any) -> None:
    await _create(poison)
    await poison.send_message(message.content)
    await queue.delete_message(message.id, message.pop_receipt)


async def _create(queue: QueueClient) -> None:
    with contextlib.suppress(ResourceExistsError):
        await queue.create_queue()
