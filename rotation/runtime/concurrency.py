"""Runs coroutines concurrently, with an optional limit."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def gather_limited(
    reads: Iterable[Coroutine[Any, Any, T]], at_once: int | None = None
) -> list[T]:
    """Return the results in order, running ``at_once`` at a time; raise the first failure.

    A single coroutine is awaited without a task, as most accounts have one secret.
    """
    given = waiting = list(reads)
    if len(waiting) == 1:
        return [await waiting[0]]
    if at_once:
        limit = asyncio.Semaphore(at_once)
        waiting = [_limited(read, limit) for read in waiting]
    try:
        return list(await asyncio.gather(*waiting))
    except asyncio.CancelledError:
        _close_unstarted(given)
        raise


def _close_unstarted(reads: Iterable[Coroutine[Any, Any, object]]) -> None:
    for read in reads:
        if inspect.getcoroutinestate(read) == inspect.CORO_CREATED:
            read.close()


async def _limited(read: Coroutine[Any, Any, T], limit: asyncio.Semaphore) -> T:
    async with limit:
        return await read
