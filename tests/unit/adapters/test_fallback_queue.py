"""A message goes into the second queue if the first does not take it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rotation.adapters.fallback_queue import FallbackQueue
from rotation.domain.errors import Permanent, RotationError, Transient

DELAY = timedelta(seconds=5)


class Queue:
    def __init__(self, error: RotationError | None = None) -> None:
        self.error, self.found, self.is_closed = error, list[tuple[str, timedelta]](), False

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        if self.error:
            raise self.error
        self.found.append((message, delay))

    async def close(self) -> None:
        self.is_closed = True


async def test_the_first_queue_takes_the_message() -> None:
    first, second = Queue(), Queue()
    await FallbackQueue(first, second).put("look", DELAY)
    assert (first.found, second.found) == ([("look", DELAY)], [])


FORBIDDEN = Permanent("no rights", code="Forbidden", remedy="grant them")
BUSY = Transient("throttled", code="HTTP429")


@pytest.mark.parametrize("error", [FORBIDDEN, BUSY])
async def test_if_it_fails_the_second_takes_the_message(error: RotationError) -> None:
    first, second = Queue(error), Queue()
    await FallbackQueue(first, second).put("look", DELAY)
    assert second.found == [("look", DELAY)]


async def test_if_both_fail_the_error_is_the_second_ones() -> None:
    queue = FallbackQueue(Queue(FORBIDDEN), Queue(BUSY))
    with pytest.raises(Transient):
        await queue.put("look")


async def test_it_closes_only_its_own_queue() -> None:
    first, second = Queue(), Queue()
    await FallbackQueue(first, second).close()
    assert (first.is_closed, second.is_closed) == (True, False)
