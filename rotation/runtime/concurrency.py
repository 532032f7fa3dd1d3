"""Runs coroutines concurrently, with an optional limit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def gather_limited(
    reads: Iterable[Coroutine[Any, Any, T]], at_once: int | None = None
) -> list[T]:
    """Return the results in order, running ``at_once`` at a time; raise the first failure.

    A single coroutine is awaited without a task, as most accounts have one secret.
    """
    waiting = list(reads)
    if len(waiting) == 1:
        return [await waiting[0]]
    if at_once:
        limit = asyncio.Semaphore(at_once)
        waiting = [_limited(read, limit) for read in waiting]
    return list(await asyncio.gather(*waiting))


async def _limited(read: Coroutine[Any, Any, T], limit: asyncio.Semaphore) -> T:
    async with limit:
        return await read
