"""Adapters close the connections that they opened, and send an event as it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.azure import Azure, virtual
from emulator.core.wire import Request, Response
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.cognitive_services import ArmAccounts
from rotation.adapters.resource_manager import ArmResources
from rotation.adapters.topic_notifier import TopicNotifier
from rotation.domain.errors import RotationError
from rotation.domain.ids import AccountId
from rotation.runtime.clock import Clock

TOPIC = "https://topic.westeurope-1.eventgrid.azure.net/api/events"
ACCOUNT = AccountId("s", "g", "acct")
EVENT = {
    "id": "e-1",
    "type": "KeyRotation.Rotated",
    "subject": "accounts/acct",
    "time": datetime(2026, 11, 28, tzinfo=UTC),
    "data": {"operation": "op-1"},
}


class Transport(AsyncEmulatorTransport):
    """Notes the requests, and how often it was closed."""

    def __init__(self, azure: Azure) -> None:
        super().__init__(azure)
        self.requests: list[Request] = []
        self.closed = 0

    async def exchange(self, request: Request) -> Response:
        self.requests.append(request)
        return await super().exchange(request)

    async def close(self) -> None:
        self.closed += 1
        await super().close()


@pytest.fixture
def azure() -> Azure:
    return virtual()


@pytest.fixture
def transport(azure: Azure) -> Transport:
    return Transport(azure)


@pytest.fixture
def credential(azure: Azure) -> AsyncCredential:
    return AsyncCredential(azure, azure.add_principal("rotation").assign("Owner", "/"))


async def used(adapter: Any, call: Callable[[Any], Awaitable[object]]) -> None:
    """Use an adapter, also if the answer is an error, and close it."""
    try:
        await call(adapter)
    except RotationError:
        pass
    finally:
        await adapter.close()


async def test_accounts(azure: Azure, transport: Transport, credential: AsyncCredential) -> None:
    adapter = ArmAccounts(credential, Clock(azure.clock.now), transport=lambda: transport)
    await used(adapter, lambda accounts: accounts.get(ACCOUNT))
    assert transport.requests
    assert transport.closed == 1


async def test_resources(azure: Azure, transport: Transport, credential: AsyncCredential) -> None:
    adapter = ArmResources(credential, Clock(azure.clock.now), transport=lambda: transport)
    await used(adapter, lambda resources: resources.subscriptions())
    assert {r.headers["User-Agent"].partition("-")[0] for r in transport.requests} == {"azsdk"}
    assert "azure-ai-key-rotation" in transport.requests[0].headers["User-Agent"]
    assert transport.closed == 1


async def test_a_topic(transport: Transport, credential: AsyncCredential) -> None:
    adapter = TopicNotifier(TOPIC, credential, lambda: transport)
    await used(adapter, lambda notifier: notifier.send(EVENT))
    (request,) = transport.requests
    assert request.url.startswith(TOPIC)
    assert b'"id": "e-1"' in request.body or b'"id":"e-1"' in request.body
    assert transport.closed == 1
