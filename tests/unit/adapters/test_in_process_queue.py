"""The queue in this process: delays, five attempts, and what is logged of a message."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from rotation.adapters.in_process_queue import PAUSE, TRIES, InProcessQueue

MESSAGE = '{"visit": {"account": "a name"}}'


class Handler:
    """Fails some times, and notes each message."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.seen = failures, list[str]()
        self.pauses: list[float] = []

    async def __call__(self, message: str) -> None:
        self.seen.append(message)
        if len(self.seen) <= self.failures:
            raise LookupError("a secret text")

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


async def handled(handler: Handler) -> None:
    queue = InProcessQueue(handler, handler.sleep)
    await queue.put(MESSAGE, timedelta(seconds=7))
    await queue.idle()


async def test_a_message_is_handled_once_after_its_delay(caplog: pytest.LogCaptureFixture) -> None:
    handler = Handler()
    await handled(handler)
    assert (handler.seen, handler.pauses) == ([MESSAGE], [7])
    assert caplog.records == []


async def test_one_that_fails_is_tried_again_after_a_pause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handler = Handler(failures=TRIES - 1)
    await handled(handler)
    assert handler.pauses == [7, *[PAUSE] * (TRIES - 1)]
    found = [vars(record) for record in caplog.records]
    assert [one["attempt"] for one in found] == [1, 2, 3, 4]
    assert {(one["error"], one["kind"]) for one in found} == {("LookupError", "visit")}
    assert "secret text" not in caplog.text


async def test_after_five_attempts_it_is_discarded(caplog: pytest.LogCaptureFixture) -> None:
    handler = Handler(failures=99)
    await handled(handler)
    assert len(handler.seen) == TRIES
    last = caplog.records[-1]
    assert last.levelno == logging.ERROR
    assert vars(last)["kind"] == "visit"
    assert "discarded after 5 attempts" in last.getMessage()


async def test_of_a_message_only_twenty_characters_of_its_kind_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handler = Handler(failures=1)
    queue = InProcessQueue(handler, handler.sleep)
    await queue.put('{"' + "k" * 21 + '": 1}')
    await queue.idle()
    assert vars(caplog.records[0])["kind"] == "k" * 20


async def test_a_queue_that_is_closed_discards_what_waits() -> None:
    handler = Handler()
    queue = InProcessQueue(handler)
    await queue.put(MESSAGE, timedelta(hours=1))
    await queue.close()
    await queue.idle()
    assert handler.seen == []
