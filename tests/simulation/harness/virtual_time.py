"""An event loop in the emulator's time: if no task is ready, time jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from emulator.core.clock import Clock

T = TypeVar("T")
MAX_TURNS = 100_000  # of the loop at one instant
TICK = 1e-4  # seconds; datetimes have microseconds, so a timer may be that much early


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that moves the clock instead of waiting. There are no sockets."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock, self._at, self._turns = clock, clock.now(), 0

    def select(self, timeout: float | None = None) -> list[Any]:
        self._count()
        if timeout is None:
            raise RuntimeError("every task waits for another one, and none for a time")
        if timeout > 0:
            self._clock.advance(timedelta(seconds=timeout))
        return []

    def _count(self) -> None:
        """Raise RuntimeError for an endless loop that takes no time."""
        now = self._clock.now()
        self._turns = self._turns + 1 if now == self._at else 0
        self._at = now
        if self._turns > MAX_TURNS:
            raise RuntimeError("time stands still")


class VirtualLoop(asyncio.SelectorEventLoop):
    """``asyncio.sleep`` takes virtual time and no real one; the same seed gives the same order."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(_JumpingSelector(clock))
        self._virtual, self._start = clock, clock.now()
        self._clock_resolution = TICK

    def time(self) -> float:
        return (self._virtual.now() - self._start).total_seconds()


def run(clock: Clock, main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, and cancel the tasks that are left."""
    loop = VirtualLoop(clock)
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
