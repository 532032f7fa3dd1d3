"""Delivers Event Grid events over HTTP or to a storage queue, after the validation handshake."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from ..azure import Azure
from ..services.eventgrid.delivery import Delivery
from ..services.eventgrid.subscription import Subscription
from ..services.eventgrid.system_topic import SystemTopic

WAIT_SECONDS = 30
ORIGIN = "eventgrid.azure.net"
QUEUE = "queue:"


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
            if delivery.url.startswith(QUEUE):
                status = await self._enqueue(delivery)
            else:
                status = await _post(session, delivery)
        self._busy.discard(delivery.id)
        self.delivered += status is not None and 200 <= status <= 204
        topic.report(delivery, status)

    async def _enqueue(self, delivery: Delivery) -> int:
        name, policy = delivery.url.removeprefix(QUEUE), TextBase64EncodePolicy()
        async with QueueClient.from_connection_string(
            self.storage, name, message_encode_policy=policy
        ) as queue:
            await queue.send_message(json.dumps(delivery.event), time_to_live=-1)
        return 200

    async def validate(self, subscription: Subscription) -> None:
        """Raise ValueError if the endpoint fails the handshake; a queue has none."""
        if subscription.url.startswith(QUEUE):
            return
        async with aiohttp.ClientSession() as session:
            try:
                if subscription.schema == "cloudevents":
                    await _validate_cloud(session, subscription)
                else:
                    await _validate_grid(session, subscription)
            except aiohttp.ClientError as exc:
                raise ValueError(f"the webhook cannot be validated: {exc}") from None


async def _post(session: aiohttp.ClientSession, delivery: Delivery) -> int:
    timeout = aiohttp.ClientTimeout(total=WAIT_SECONDS)
    async with session.post(
        delivery.url, data=delivery.body, headers=delivery.headers, timeout=timeout
    ) as response:
        return response.status


async def _validate_grid(session: aiohttp.ClientSession, subscription: Subscription) -> None:
    code = str(uuid.uuid4())
    event: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "topic": "",
        "subject": "",
        "data": {"validationCode": code, "validationUrl": "https://rp.eventgrid.azure.net/unused"},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2026-11-23T00:00:00Z",
        "metadataVersion": "1",
        "dataVersion": "2",
    }
    headers = {"aeg-event-type": "SubscriptionValidation", "Content-Type": "application/json"}
    async with session.post(
        subscription.url, data=json.dumps([event]), headers=headers
    ) as response:
        text = await response.text()
        if response.status != 200 or json.loads(text or "{}").get("validationResponse") != code:
            raise ValueError(f"the webhook responded to the handshake with {response.status}")


async def _validate_cloud(session: aiohttp.ClientSession, subscription: Subscription) -> None:
    headers = {"WebHook-Request-Origin": ORIGIN}
    async with session.options(subscription.url, headers=headers) as response:
        allowed = response.headers.get("WebHook-Allowed-Origin", "")
        if response.status != 200 or allowed not in ("*", ORIGIN):
            raise ValueError(f"the webhook responded to the handshake with {response.status}")
