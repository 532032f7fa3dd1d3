"""A work queue inside the process, where no storage is configured: for local work only.

What is lost with the process is found again by the timer's sweep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from .. import log

TRIES = 5
PAUSE = 30.0


class EmbeddedQueue:
    """Runs ``handler`` for each message after its delay, on the loop of whoever put it."""

    def __init__(
        self,
        handler: Callable[[str], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        parallel: int = 8,
    ) -> None:
        self._handler = handler
        self._sleep = sleep
        self._slots = asyncio.Semaphore(parallel)
        self._tasks: set[asyncio.Task[None]] = set()

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(message, delay))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, message: str, delay: timedelta) -> None:
        await self._sleep(max(delay.total_seconds(), 0.0))
        for attempt in range(1, TRIES + 1):
            if await self._handled(message, attempt):
                return
            await self._sleep(PAUSE)
        log.error("message given up", message=message)

    async def _handled(self, message: str, attempt: int) -> bool:
        try:
            async with self._slots:
                await self._handler(message)
        except Exception as exc:  # noqa: BLE001 - as the host's own queue does: try again, then poison
            log.warning("message failed", attempt=attempt, error=type(exc).__name__)
            return False
        return True

    async def close(self) -> None:
        """Drop what waits."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
