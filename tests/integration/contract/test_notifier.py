"""Events to a topic, through the real client, on the emulated Azure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.azure import Azure, virtual
from emulator.core.faults import Fault
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.topic_notifier import TopicNotifier
from rotation.domain.errors import Permanent, RotationError, Transient

HOST = "topic.westeurope-1.eventgrid.azure.net"
EVENT = {
    "id": "op-1-published",
    "type": "KeyRotation.Rotated",
    "subject": "accounts/aoai-demo",
    "time": datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC),
    "data": {"operation": "op-1", "code": None},
}


@pytest.fixture
def azure() -> Azure:
    azure = virtual()
    azure.topics.add("topic")
    azure.add_principal("rotation").assign("EventGrid Data Sender", azure.topics.id_of("topic"))
    return azure


@asynccontextmanager
async def notifier(azure: Azure, host: str = HOST) -> AsyncIterator[TopicNotifier]:
    found = TopicNotifier(
        f"https://{host}/api/events",
        AsyncCredential(azure, azure.identity.principals[0]),
        lambda: AsyncEmulatorTransport(azure),
    )
    yield found
    await found.close()


async def failing(azure: Azure, host: str = HOST) -> RotationError:
    async with notifier(azure, host) as one:
        with pytest.raises(RotationError) as failed:
            await one.send(EVENT)
    return failed.value


async def test_an_event_arrives_with_all_its_attributes(
    azure: Azure, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Any] = []
    azure.exchanges.append(lambda operation, request, response: sent.append(request))
    async with notifier(azure) as one:
        await one.send(EVENT)
    assert azure.topics.received[HOST] == [
        {
            "specversion": "1.0",
            "id": "op-1-published",
            "source": "/azure-ai-key-rotation",
            "type": "KeyRotation.Rotated",
            "subject": "accounts/aoai-demo",
            "time": "2026-11-23T01:02:03.000Z",
            "datacontenttype": "application/json",
            "data": {"operation": "op-1", "code": None},
        }
    ]
    assert sent[0].headers["Content-Type"].startswith("application/cloudevents-batch+json")
    assert [r for r in caplog.records if r.levelname == "WARNING"] == []


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_failing_service_is_called_once(azure: Azure, status: int) -> None:
    headers = {"Retry-After": "7"}
    fault = Fault("answer", "eventgrid.publish", status=status, headers=headers, times=9)
    azure.faults.add(fault)
    failed = await failing(azure)
    assert isinstance(failed, Transient)
    assert failed.retry_after is not None
    assert failed.retry_after.total_seconds() == 7
    assert len([call for call in azure.calls if call.operation == "eventgrid.publish"]) == 1


async def test_a_dropped_connection_is_transient(azure: Azure) -> None:
    azure.faults.add(Fault("drop", "eventgrid.publish"))
    assert isinstance(await failing(azure), Transient)


async def test_a_host_that_is_not_there_is_transient(azure: Azure) -> None:
    assert isinstance(await failing(azure, "nowhere.example.com"), Transient)


async def test_a_missing_right_names_the_role(azure: Azure) -> None:
    azure.identity.principals[0].assignments.clear()
    failed = await failing(azure)
    assert isinstance(failed, Permanent)
    assert "EventGrid Data Sender" in failed.remedy


async def test_events_can_be_sent_side_by_side(azure: Azure) -> None:
    async with notifier(azure) as one:
        await asyncio.gather(*(one.send({**EVENT, "id": str(i)}) for i in range(5)))
    assert sorted(e["id"] for e in azure.topics.received[HOST]) == list("01234")
