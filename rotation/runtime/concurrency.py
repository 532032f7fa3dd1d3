"""Reads that do not wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def gather_limited(
    reads: Iterable[Coroutine[Any, Any, T]], at_once: int | None = None
) -> list[T]:
    """The results in the order of the reads, ``at_once`` at a time; raises the first failure.

    The usual account has one secret in one vault, and one read needs no task of its own.
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
