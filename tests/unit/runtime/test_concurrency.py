"""Reads that run at the same time."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from rotation.runtime.concurrency import gather_limited


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
