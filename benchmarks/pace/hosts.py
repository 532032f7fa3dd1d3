"""Function hosts on one storage queue each for its work, in virtual time.

A host polls as the Functions host does: it takes a batch whenever few of its messages are left, and
waits longer while the queue is empty.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rotation.domain.errors import RotationError

from .ports import TimedInterceptor

Handler = Callable[[str], Awaitable[None]]

LONGEST_POLL = 2.0  # seconds: maxPollingInterval of host.json

_FIRST_POLL = 0.1

_RETRY = timedelta(seconds=30)  # visibilityTimeout of host.json

_MOST_TRIES = 5


@dataclass
class TimedQueue:
    """A storage queue; ``put`` and ``take`` last as long as a call to it."""

    interceptor: TimedInterceptor
    waiting: list[tuple[datetime, int, str, int]] = field(default_factory=list)
    poison: list[str] = field(default_factory=list)
    messages: int = 0

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        await self._last()
        self._push(message, delay, 0)

    def _push(self, message: str, delay: timedelta, tries: int) -> None:
        self.messages += 1
        at = self.interceptor.azure.clock.now() + delay
        heapq.heappush(self.waiting, (at, self.messages, message, tries))

    def retry(self, message: str, tries: int) -> None:
        """Make a failed message visible again, or move it to the poison queue."""
        if tries + 1 < _MOST_TRIES:
            self._push(message, _RETRY, tries + 1)
        else:
            self.poison.append(message)

    async def take(self, most: int) -> list[tuple[str, int]]:
        """Return at most ``most`` visible messages with their numbers of tries."""
        await self._last()
        now = self.interceptor.azure.clock.now()
        found: list[tuple[str, int]] = []
        while self.waiting and self.waiting[0][0] <= now and len(found) < most:
            _, _, message, tries = heapq.heappop(self.waiting)
            found.append((message, tries))
        return found

    async def _last(self) -> None:
        await asyncio.sleep(self.interceptor.latencies.of("queue.call"))


@dataclass
class Host:
    """A queue trigger of one instance."""

    queue: TimedQueue
    handle: Handler
    batch: int
    seed: int
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Poll until cancelled."""
        pause = random.Random(self.seed).uniform(0, LONGEST_POLL)
        while True:
            await asyncio.sleep(pause)
            taken = await self._take() if len(self._running) <= self.batch // 2 else 0
            pause = _FIRST_POLL if taken or self._running else min(pause * 2, LONGEST_POLL)

    async def _take(self) -> int:
        found = await self.queue.take(self.batch)
        for message, tries in found:
            task = asyncio.create_task(self._process(message, tries))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(found)

    async def _process(self, message: str, tries: int) -> None:
        try:
            await self.handle(message)
        except (RotationError, ValueError):
            self.queue.retry(message, tries)
