"""The host's queue trigger: decoding, attempts, and the poison queue."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from emulator.host.functions import of_app
from emulator.host.queues import Queue
from emulator.host.settings import HostSettings

seen: list[str] = []
app = func.FunctionApp()


@app.queue_trigger(arg_name="message", queue_name="work", connection="Storage")
def work(message: func.QueueMessage) -> None:
    seen.append(message.get_body().decode())
    if seen[-1] == "fail":
        raise RuntimeError("cannot do it")


class FakeQueue:
    """A storage queue in memory; a message is received once."""

    def __init__(self, *contents: str, attempts: int = 1) -> None:
        self.contents = list(contents)
        self.sent: list[str] = []
        self.deleted: list[str] = []
        self._attempts = attempts

    async def receive_messages(self, **options: Any) -> AsyncIterator[Any]:
        for number, content in enumerate(self.contents):
            yield SimpleNamespace(
                id=str(number),
                content=content,
                pop_receipt="r",
                dequeue_count=self._attempts,
                inserted_on=None,
                expires_on=None,
                next_visible_on=None,
            )
        self.contents.clear()

    async def send_message(self, content: str) -> None:
        self.sent.append(content)

    async def delete_message(self, message: str, receipt: str) -> None:
        self.deleted.append(message)

    async def update_message(self, *args: Any, **options: Any) -> Any:
        return SimpleNamespace(pop_receipt="r")

    async def create_queue(self) -> None:
        """It exists."""


async def run(queue: FakeQueue, poison: FakeQueue, settings: HostSettings | None = None) -> None:
    seen.clear()
    tasks: set[asyncio.Task[None]] = set()
    trigger = Queue(of_app(app)[0], settings or HostSettings(), timedelta(minutes=10))
    await trigger._take(queue, poison, tasks)  # type: ignore[arg-type]
    await asyncio.gather(*tasks)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_a_message_is_decoded_and_deleted_after_the_function() -> None:
    queue, poison = FakeQueue(encoded("hello")), FakeQueue()
    await run(queue, poison)
    assert (seen, queue.deleted, poison.sent) == (["hello"], ["0"], [])


@pytest.mark.parametrize("content", ['{"plain": "JSON"}', "not base64!", "abc"])
async def test_a_message_that_is_not_base64_goes_to_the_poison_queue_and_the_others_are_handled(
    content: str,
) -> None:
    queue, poison = FakeQueue(encoded("before"), content, encoded("after")), FakeQueue()
    await run(queue, poison)
    assert sorted(seen) == ["after", "before"]
    assert sorted(queue.deleted) == ["0", "1", "2"]
    assert poison.sent == [content]


async def test_plain_text_is_accepted_if_host_json_turns_base64_off() -> None:
    queue, poison = FakeQueue("plain"), FakeQueue()
    await run(queue, poison, HostSettings(base64=False))
    assert (seen, poison.sent) == (["plain"], [])


@pytest.mark.parametrize(("attempts", "poisoned"), [(4, []), (5, [encoded("fail")])])
async def test_a_message_goes_to_the_poison_queue_after_five_failed_attempts(
    attempts: int, poisoned: list[str]
) -> None:
    queue, poison = FakeQueue(encoded("fail"), attempts=attempts), FakeQueue()
    await run(queue, poison)
    assert poison.sent == poisoned
    assert queue.deleted == ["0"] * len(poisoned)
