"""A work queue inside the process, where no storage is configured: for local work only.

What is lost with the process is found again by the timer's sweep.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from .storage_limits import delay_seconds

# As the host's queue trigger: five tries, then the poison queue.
TRIES = 5

PAUSE = 30.0

_log = logging.getLogger("rotation")


class InProcessQueue:
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
        seconds = delay_seconds(delay)
        task = asyncio.get_running_loop().create_task(self._deliver(message, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until there is no message left, nor any that its handling has put."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Drop what waits."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, message: str, seconds: float) -> None:
        for attempt in range(1, TRIES + 1):
            await self._sleep(seconds)
            if await self._handled(message, attempt):
                return
            seconds = PAUSE
        _log.error("a message was given up", extra=_kind(message))

    async def _handled(self, message: str, attempt: int) -> bool:
        try:
            async with self._slots:
                await self._handler(message)
        except Exception as exc:  # noqa: BLE001 - as the host's queue does: try again, then poison
            fields = {"attempt": attempt, "error": type(exc).__name__, **_kind(message)}
            _log.warning("a message failed", extra=fields)
            return False
        return True


def _kind(message: str) -> dict[str, str]:
    """A message is an object with one member, named after its kind; no more of it is logged."""
    return {"kind": message.partition('"')[2].partition('"')[0][:20]}
