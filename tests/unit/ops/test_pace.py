"""The pace of many reads: at a rate, and after Retry-After once more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from rotation.domain.errors import Transient
from rotation.ops.pace import LONGEST, TRIES, Pace
from rotation.runtime.concurrency import gather_limited


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    read_at: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += max(seconds, 0)

    def reading(self, *errors: Exception | None) -> Callable[[], Awaitable[str]]:
        """Return a read that fails with each error in turn."""
        waiting = list(errors)

        async def read() -> str:
            self.read_at.append(self.now)
            error = waiting.pop(0) if waiting else None
            if error:
                raise error
            return "value"

        return read


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pace(time: Time) -> Pace:
    return Pace(4.0, time.sleep, lambda: time.now, burst=0)


def throttled(seconds: float) -> Transient:
    return Transient("429", retry_after=timedelta(seconds=seconds))


async def test_reads_keep_to_the_rate(pace: Pace, time: Time) -> None:
    read = time.reading()
    assert [await pace.read(read) for _ in range(4)] == ["value"] * 4
    assert time.read_at == [0.0, 0.25, 0.5, 0.75]


async def test_the_first_reads_do_not_wait(time: Time) -> None:
    time.now = 100.0
    pace = Pace(4.0, time.sleep, lambda: time.now, burst=2)
    for _ in range(5):
        await pace.read(time.reading())
    assert time.read_at == [100.0, 100.0, 100.0, 100.25, 100.5]


async def test_concurrent_reads_share_the_rate(pace: Pace, time: Time) -> None:
    await gather_limited((pace.read(time.reading()) for _ in range(6)), 6)
    assert len(time.read_at) == 6
    assert max(time.read_at) >= 1.25


async def test_a_throttled_read_waits_as_long_as_it_is_told(pace: Pace, time: Time) -> None:
    assert await pace.read(time.reading(throttled(7))) == "value"
    assert time.read_at == [0.0, 7.0]


async def test_the_other_reads_wait_too(pace: Pace, time: Time) -> None:
    await pace.read(time.reading(throttled(7)))
    await pace.read(time.reading())
    assert time.read_at[-1] == 7.25


async def test_a_read_that_is_throttled_again_and_again_fails(pace: Pace, time: Time) -> None:
    with pytest.raises(Transient):
        await pace.read(time.reading(*[throttled(1)] * TRIES))
    assert len(time.read_at) == TRIES


@pytest.mark.parametrize("error", [Transient("503"), throttled(LONGEST + 1), ValueError("x")])
async def test_any_other_failure_is_not_repeated(pace: Pace, time: Time, error: Exception) -> None:
    with pytest.raises(type(error)):
        await pace.read(time.reading(error))
    assert time.read_at == [0.0]
