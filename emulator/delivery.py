"""The socket side of Event Grid: sends what is due, and shakes hands first."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from typing import Any

import aiohttp

from .azure import Azure
from .keyvault.events import Delivery, Subscription, Topic

WAIT_SECONDS = 30
ORIGIN = "eventgrid.azure.net"


class Deliverer:
    """Event Grid waits 30 seconds for an answer; then it counts as none."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()
        self.delivered = 0

    async def run(self, pause: float = 0.1) -> None:
        """Deliver for ever, in parallel, until cancelled."""
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

    def _start(self, session: aiohttp.ClientSession, topic: Topic, delivery: Delivery) -> None:
        if delivery.id in self._busy:
            return
        self._busy.add(delivery.id)
        task = asyncio.create_task(self._send(session, topic, delivery))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, session: aiohttp.ClientSession, topic: Topic, delivery: Delivery) -> None:
        timeout = aiohttp.ClientTimeout(total=WAIT_SECONDS)
        status: int | None = None
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(
                delivery.url, data=delivery.body, headers=delivery.headers, timeout=timeout
            ) as response:
                status = response.status
        self._busy.discard(delivery.id)
        self.delivered += status is not None and 200 <= status <= 204
        topic.delivered(delivery, status)

    async def validate(self, subscription: Subscription) -> None:
        """Raises ValueError where the endpoint does not answer the handshake."""
        async with aiohttp.ClientSession() as session:
            try:
                if subscription.schema == "cloudevents":
                    await _validate_cloud(session, subscription)
                else:
                    await _validate_grid(session, subscription)
            except aiohttp.ClientError as exc:
                raise ValueError(f"the webhook cannot be validated: {exc}") from None


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
    async with session.post(subscription.url, data=json.dumps([event]), headers=headers) as answer:
        text = await answer.text()
        if answer.status != 200 or json.loads(text or "{}").get("validationResponse") != code:
            raise ValueError(f"the webhook answered the handshake with {answer.status}")


async def _validate_cloud(session: aiohttp.ClientSession, subscription: Subscription) -> None:
    headers = {"WebHook-Request-Origin": ORIGIN}
    async with session.options(subscription.url, headers=headers) as answer:
        allowed = answer.headers.get("WebHook-Allowed-Origin", "")
        if answer.status != 200 or allowed not in ("*", ORIGIN):
            raise ValueError(f"the webhook answered the handshake with {answer.status}")
