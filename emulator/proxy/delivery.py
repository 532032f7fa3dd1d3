"""Delivers Event Grid events over HTTP or to a storage queue, after the validation handshake."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from ..azure import Azure
from ..services.eventgrid import handshake
from ..services.eventgrid.delivery import Delivery
from ..services.eventgrid.handshake import validation_event
from ..services.eventgrid.subscription import Subscription
from ..services.eventgrid.system_topic import SystemTopic

WAIT_SECONDS = 30
_TIMEOUT = aiohttp.ClientTimeout(total=WAIT_SECONDS)


class Deliverer:
    """Sends the due deliveries; waits 30 seconds for each response, as Event Grid does.

    A subscription's URL may be ``queue:NAME``: a queue in the storage account of ``storage``, a
    connection string. A message there is one event, in base64 (observed since December 2022, when
    Azure's own quickstart still described plain text).
    """

    def __init__(self, azure: Azure, storage: str = "") -> None:
        self._azure = azure
        self.storage = storage
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()
        self.delivered = 0

    async def run(self, pause: float = 0.1) -> None:
        """Deliver in parallel until cancelled."""
        async with aiohttp.ClientSession() as session:
            try:
                while True:
                    for topic, delivery in self._azure.due_deliveries():
                        self._start(session, topic, delivery)
                    await asyncio.sleep(pause)
            finally:
                for task in list(self._sending):
                    task.cancel()
                await asyncio.gather(*self._sending, return_exceptions=True)

    def _start(
        self, session: aiohttp.ClientSession, topic: SystemTopic, delivery: Delivery
    ) -> None:
        if delivery.id in self._busy:
            return
        self._busy.add(delivery.id)
        task = asyncio.create_task(self._send(session, topic, delivery))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(
        self, session: aiohttp.ClientSession, topic: SystemTopic, delivery: Delivery
    ) -> None:
        status: int | None = None
        with contextlib.suppress(aiohttp.ClientError, AzureError, TimeoutError):
            if delivery.subscription.queue:
                status = await self._enqueue(delivery)
            else:
                status = await _post(session, delivery)
        self._busy.discard(delivery.id)
        self.delivered += status is not None and 200 <= status <= 204
        topic.report(delivery, status)

    async def _enqueue(self, delivery: Delivery) -> int:
        """Return the status of the queue's answer; a queue without an account does not exist."""
        if not self.storage:
            return 404
        name, policy = delivery.subscription.queue, TextBase64EncodePolicy()
        async with QueueClient.from_connection_string(
            self.storage, name, message_encode_policy=policy, retry_total=0
        ) as queue:
            try:
                await queue.send_message(json.dumps(delivery.event), time_to_live=-1)
            except HttpResponseError as exc:
                return exc.status_code or 500
        return 200

    async def validate(self, subscription: Subscription, topic: SystemTopic) -> None:
        """Raise ValueError if the endpoint fails the handshake, or a queue has no account."""
        if subscription.queue:
            if not self.storage:
                raise ValueError("a queue needs AzureWebJobsStorage, a connection string")
            return
        event = validation_event(topic.source, str(uuid.uuid4()), self._azure.clock.now())
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            try:
                if subscription.schema == "cloudevents":
                    await _validate_cloud(session, subscription)
                else:
                    await _validate_grid(session, subscription, event)
            except (aiohttp.ClientError, TimeoutError) as exc:
                raise ValueError(f"the webhook cannot be validated: {exc}") from None


async def _post(session: aiohttp.ClientSession, delivery: Delivery) -> int:
    async with session.post(
        delivery.url, data=delivery.body, headers=delivery.headers, timeout=_TIMEOUT
    ) as response:
        return response.status


async def _validate_grid(
    session: aiohttp.ClientSession, subscription: Subscription, event: Mapping[str, Any]
) -> None:
    body, code = json.dumps([event]), event["data"]["validationCode"]
    async with session.post(subscription.url, data=body, headers=handshake.HEADERS) as response:
        if not handshake.accepts(response.status, await response.text(), code):
            raise ValueError(f"the webhook responded to the handshake with {response.status}")


async def _validate_cloud(session: aiohttp.ClientSession, subscription: Subscription) -> None:
    headers = {"WebHook-Request-Origin": handshake.ORIGIN}
    async with session.options(subscription.url, headers=headers) as response:
        allowed = response.headers.get("WebHook-Allowed-Origin", "")
        if response.status != 200 or allowed not in ("*", handshake.ORIGIN):
            raise ValueError(f"the webhook responded to the handshake with {response.status}")
