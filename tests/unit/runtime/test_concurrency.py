"""Reads that run at the same time."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from rotation.runtime.concurrency import gather_limited, gather_until


async def test_reads_that_never_began_are_closed_when_the_caller_is_cancelled() -> None:
    async def forever() -> None:
        await asyncio.sleep(3600)

    reads = [forever() for _ in range(3)]
    waiting = asyncio.ensure_future(gather_limited(reads, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert all(inspect.getcoroutinestate(read) == inspect.CORO_CLOSED for read in reads)


@pytest.mark.parametrize(
    ("at_once", "limit", "expected"),
    [(1, 0, 1), (1, 3, 3), (4, 0, 4), (4, 3, 6), (4, 99, 10), (20, 0, 10)],
)
async def test_no_run_begins_after_the_end_and_those_that_began_are_finished(
    at_once: int, limit: int, expected: int
) -> None:
    begun, finished = 0, list[int]()

    async def run(number: int) -> int:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0)
        finished.append(number)
        return number

    found = await gather_until(range(10), run, at_once, lambda: len(finished) >= limit)
    assert found == list(range(expected))
    assert begun == len(finished)


async def test_nothing_to_run_has_no_result() -> None:
    async def run(number: int) -> int:
        return number

    assert await gather_until([], run, 4, lambda: False) == []
