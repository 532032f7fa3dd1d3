"""The contract of the port Queue: in this process, and in Azure Queue Storage."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from rotation.adapters import storage
from rotation.adapters.in_process_queue import TRIES, InProcessQueue
from rotation.adapters.storage_queue import StorageQueue
from rotation.domain.errors import Permanent, Transient
from rotation.ports import Queue
from rotation.settings import storage as connection
from tests.azurite import connection_string, free_ports

from .conftest import NO_CREDENTIAL

WEEK = 7 * 24 * 3600
MESSAGE = json.dumps({"visit": {"account": "café ☕"}}, ensure_ascii=False)


@dataclass
class Host:
    """A queue and what stands behind it; ``delays`` are in seconds, in the order of putting."""

    queue: Queue
    delays: list[float]
    received: Callable[[], Awaitable[list[str]]]


@pytest.fixture
async def in_process() -> AsyncIterator[Host]:
    delays, taken = list[float](), list[str]()

    async def handle(message: str) -> None:
        taken.append(message)

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    async def received() -> list[str]:
        await queue.idle()
        return taken

    queue = InProcessQueue(handle, sleep)
    yield Host(queue, delays, received)
    await queue.close()


@dataclass
class Connected:
    """A queue on Azurite, and a plain client of it."""

    text: str
    name: str = field(default_factory=lambda: f"work-{uuid4().hex[:8]}")
    sent: list[dict[str, list[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = connection.parse({"AzureWebJobsStorage": self.text})
        assert settings is not None
        options = {"retry_total": 0, "raw_response_hook": self._note}
        self.blobs, queues = storage.services(settings, NO_CREDENTIAL, options)
        self.queue = StorageQueue(queues, self.name)
        self.plain = queues.get_queue_client(self.name)

    def _note(self, response: Any) -> None:
        request = response.http_request
        if request.method == "POST":
            self.sent.append(parse_qs(urlsplit(request.url).query))

    async def received(self) -> list[str]:
        """Read a message as the Functions host does by default: base64, then UTF-8."""
        found = [message.content async for message in self.plain.receive_messages()]
        return [base64.b64decode(text, validate=True).decode() for text in found]

    @property
    def delays(self) -> list[float]:
        return [float(query.get("visibilitytimeout", ["0"])[0]) for query in self.sent]

    async def close(self) -> None:
        await self.queue.close()
        await self.blobs.close()


@pytest.fixture
async def connected(azurite: str) -> AsyncIterator[Connected]:
    connected = Connected(azurite)
    yield connected
    await connected.close()


@pytest.fixture(params=["in_process", pytest.param("connected", marks=pytest.mark.azurite)])
def host(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


class TestQueue:
    async def test_a_message_arrives_as_it_was_put(self, host: Host) -> None:
        await host.queue.put(MESSAGE)
        assert await host.received() == [MESSAGE]

    async def test_every_one_of_many_messages_arrives(self, host: Host) -> None:
        await asyncio.gather(*(host.queue.put(f"{{{i}}}") for i in range(20)))
        assert sorted(await host.received()) == sorted(f"{{{i}}}" for i in range(20))

    @pytest.mark.parametrize(
        ("asked", "given"),
        [
            (timedelta(), 0),
            (timedelta(seconds=-5), 0),
            (timedelta(seconds=90), 90),
            (timedelta(milliseconds=1200), 2),
            (timedelta(days=7), WEEK - 60),
            (timedelta(days=400), WEEK - 60),
        ],
    )
    async def test_a_delay_is_never_too_short_and_at_most_a_week(
        self, host: Host, asked: timedelta, given: float
    ) -> None:
        await host.queue.put(MESSAGE, asked)
        await host.received()
        assert host.delays[-1] == given


@pytest.mark.azurite
class TestStorageQueue:
    async def test_messages_never_expire(self, connected: Connected) -> None:
        await connected.queue.put(MESSAGE)
        assert connected.sent[-1]["messagettl"] == ["-1"]

    async def test_a_delayed_message_is_not_there_yet(self, connected: Connected) -> None:
        await connected.queue.put(MESSAGE, timedelta(seconds=2))
        assert await connected.received() == []
        await asyncio.sleep(2.2)
        assert await connected.received() == [MESSAGE]

    async def test_concurrent_first_messages_create_the_queue_once(self, azurite: str) -> None:
        name = f"work-{uuid4().hex[:8]}"
        several = [Connected(azurite, name) for _ in range(3)]
        await asyncio.gather(*(one.queue.put(MESSAGE) for one in several))
        found = [message async for message in several[0].plain.receive_messages()]
        assert len(found) == 3
        for one in several:
            await one.close()

    async def test_a_message_that_is_too_large_is_permanent(self, connected: Connected) -> None:
        with pytest.raises(Permanent) as refused:
            await connected.queue.put("x" * 50_000)
        assert refused.value.code == "RequestBodyTooLarge"

    async def test_a_refusal_names_the_role(self, azurite: str) -> None:
        refused = Connected(azurite.replace("AccountKey=Eby8", "AccountKey=Abcd"))
        with pytest.raises(Permanent) as error:
            await refused.queue.put(MESSAGE)
        assert "Storage Queue Data Contributor" in error.value.remedy
        await refused.close()

    async def test_a_service_that_cannot_be_reached_is_transient(self) -> None:
        nowhere = Connected(connection_string(*free_ports(2)))
        with pytest.raises(Transient):
            await nowhere.queue.put(MESSAGE)
        await nowhere.close()


@dataclass
class Unwell:
    """A handler that fails so many times; ``slept`` are the pauses in seconds."""

    failures: int
    calls: int = 0
    slept: list[float] = field(default_factory=list)

    async def __call__(self, message: str) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise RuntimeError("api-key 0123456789abcdef")

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class TestInProcessQueue:
    async def test_a_failed_message_is_tried_again_after_30_seconds(self) -> None:
        handler = Unwell(failures=2)
        queue = InProcessQueue(handler, handler.sleep)
        await queue.put(MESSAGE)
        await queue.idle()
        assert handler.calls == 3
        assert handler.slept == [0, 30, 30]

    async def test_five_failures_are_poison_and_nothing_is_quoted(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        handler = Unwell(failures=100)
        queue = InProcessQueue(handler, handler.sleep)
        await queue.put(MESSAGE)
        await queue.idle()
        assert handler.calls == TRIES == 5
        last = caplog.records[-1]
        assert (last.levelno, last.__dict__["kind"]) == (logging.ERROR, "visit")
        everything = " ".join(str(record.__dict__) for record in caplog.records)
        assert "0123456789abcdef" not in everything
        assert "café" not in everything

    async def test_one_failure_does_not_hold_up_the_others(self) -> None:
        done = asyncio.Event()

        async def handle(message: str) -> None:
            if message == "bad":
                raise RuntimeError
            done.set()

        queue = InProcessQueue(handle)
        await queue.put("bad")
        await queue.put("good")
        await asyncio.wait_for(done.wait(), 1)
        await queue.close()

    async def test_a_handler_may_enqueue_more_messages(self) -> None:
        taken = []

        async def handle(message: str) -> None:
            taken.append(message)
            if message == "first":
                await queue.put("second")

        queue = InProcessQueue(handle)
        await queue.put("first")
        await queue.idle()
        assert taken == ["first", "second"]

    async def test_the_number_of_concurrent_handlers_is_limited(self) -> None:
        running, most = 0, 0

        async def handle(message: str) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

        queue = InProcessQueue(handle, parallel=3)
        for _ in range(10):
            await queue.put(MESSAGE)
        await queue.idle()
        assert most == 3

    async def test_closing_drops_the_waiting_messages(self) -> None:
        handler = Unwell(failures=0)
        queue = InProcessQueue(handler)
        await queue.put(MESSAGE, timedelta(days=1))
        await queue.close()
        await queue.idle()
        assert handler.calls == 0

    def test_the_queue_can_be_constructed_without_an_event_loop(self) -> None:
        handler = Unwell(failures=0)
        queue = InProcessQueue(handler)

        async def work() -> None:
            await queue.put(MESSAGE)
            await queue.idle()

        asyncio.run(work())
        assert handler.calls == 1
