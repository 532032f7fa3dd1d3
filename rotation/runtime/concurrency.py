"""Runs coroutines concurrently, with an optional limit."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")


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


async def gather_until(
    items: Iterable[Item],
    run: Callable[[Item], Awaitable[T]],
    at_once: int,
    is_over: Callable[[], bool],
) -> list[T]:
    """Run for the items in order until ``is_over``, at least for the first; return the results.

    What has been started is finished, so the results are those of the first items.
    """
    found: dict[int, T] = {}
    numbered = enumerate(items)

    async def work() -> None:
        for number, item in numbered:
            found[number] = await run(item)
            if is_over():
                return

    await asyncio.gather(*(work() for _ in range(at_once)))
    return [found[number] for number in sorted(found)]


def _close_unstarted(reads: Iterable[Coroutine[Any, Any, object]]) -> None:
    for read in reads:
        if inspect.getcoroutinestate(read) == inspect.CORO_CREATED:
            read.close()


async def _limited(read: Coroutine[Any, Any, T], limit: asyncio.Semaphore) -> T:
    async with limit:
        return await read
