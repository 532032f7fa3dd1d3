"""Queue triggers on a real storage queue: batches, renewal, attempts, and the poison queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from datetime import timedelta
from typing import Any

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from .functions import Function
from .queue_messages import argument, decode
from .settings import HostSettings

_log = logging.getLogger("host")
HIDDEN = timedelta(minutes=10)
FIRST_POLL = 0.1


class Queue:
    """One queue function; a message stays hidden for as long as the function runs."""

    def __init__(
        self, function: Function, settings: HostSettings, hidden: timedelta = HIDDEN
    ) -> None:
        self.function = function
        self._settings, self._hidden = settings, hidden
        self._name = str(function.trigger["queueName"])
        self._connection = str(function.trigger.get("connection") or "AzureWebJobsStorage")

    @property
    def is_connected(self) -> bool:
        """True if any setting of the trigger's connection exists."""
        names = ("", "__queueServiceUri", "__accountName")
        return any(os.environ.get(self._connection + name) for name in names)

    async def run(self) -> None:
        """Poll until cancelled, more slowly while the queue is empty."""
        async with self._service() as service:
            queue = service.get_queue_client(self._name)
            poison = service.get_queue_client(self._name + "-poison")
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
        try:
            content = decode(message.content, is_base64=self._settings.base64)
        except ValueError:
            # As the real host does: the function is not called, and the message is not tried again.
            _log.warning("message %s of queue %s is not base64", message.id, self._name)
            with contextlib.suppress(HttpResponseError):
                await _move(queue, poison, message)
            return
        renewal = asyncio.create_task(_renew(queue, message, self._hidden))
        try:
            succeeded = await self._call(message, content)
        finally:
            renewal.cancel()
        with contextlib.suppress(HttpResponseError):
            if succeeded:
                await queue.delete_message(message.id, message.pop_receipt)
            elif message.dequeue_count >= self._settings.max_dequeue_count:
                await _move(queue, poison, message)
            else:
                delay = int(self._settings.visibility_timeout.total_seconds())
                await queue.update_message(
                    message.id, message.pop_receipt, visibility_timeout=delay
                )

    async def _call(self, message: Any, content: str) -> bool:
        """Call the function; return whether it succeeded."""
        try:
            await self.function.invoke(argument(message, content), self._settings.timeout)
        except Exception:
            _log.exception("function %s failed", self.function.name)
            return False
        return True

    def _service(self) -> QueueServiceClient:
        text = os.environ.get(self._connection)
        if text:
            return QueueServiceClient.from_connection_string(text)
        account = os.environ.get(f"{self._connection}__accountName", "")
        default = f"https://{account}.queue.core.windows.net"
        url = os.environ.get(f"{self._connection}__queueServiceUri", default)
        client_id = os.environ.get(f"{self._connection}__clientId")
        return QueueServiceClient(url, ManagedIdentityCredential(client_id=client_id))


async def _renew(queue: QueueClient, message: Any, hidden: timedelta) -> None:
    while True:
        await asyncio.sleep(hidden.total_seconds() / 2)
        renewed = await queue.update_message(
            message.id, message.pop_receipt, visibility_timeout=int(hidden.total_seconds())
        )
        message.pop_receipt = renewed.pop_receipt


async def _move(queue: QueueClient, poison: QueueClient, message: Any) -> None:
    """Move a message to the poison queue, as it was received."""
    await _create(poison)
    await poison.send_message(message.content)
    await queue.delete_message(message.id, message.pop_receipt)


async def _create(queue: QueueClient) -> None:
    with contextlib.suppress(ResourceExistsError):
        await queue.create_queue()
