"""A work queue in this process, for local use without a storage account.

Messages are lost with the process; the sweep finds their accounts again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from .storage_limits import delay_seconds

# Like the host's queue trigger: five attempts, then the poison queue.
TRIES = 5

PAUSE = 30.0

_log = logging.getLogger("rotation")


class InProcessQueue:
    """Calls ``handler`` for each message after its delay, on the event loop of the sender."""

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
        """Wait until all messages, and those that their handlers enqueue, are handled."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Discard all pending messages."""
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
        _log.error("message discarded after %d attempts", TRIES, extra=_kind(message))

    async def _handled(self, message: str, attempt: int) -> bool:
        try:
            async with self._slots:
                await self._handler(message)
        except Exception as exc:  # noqa: BLE001 - like the host's queue: retry, then discard
            fields = {"attempt": attempt, "error": type(exc).__name__, **_kind(message)}
            _log.warning("message failed", extra=fields)
            return False
        return True


def _kind(message: str) -> dict[str, str]:
    """Return the message's only member, which names its kind; nothing else is logged."""
    return {"kind": message.partition('"')[2].partition('"')[0][:20]}
