"""An event loop whose time is the emulator's: where nothing is ready, time jumps."""

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


class _Jumping(selectors.DefaultSelector):
    """Never waits for a socket: there is none. What would be a wait moves the clock."""

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
        """A circle that takes no time would never end."""
        now = self._clock.now()
        self._turns = self._turns + 1 if now == self._at else 0
        self._at = now
        if self._turns > MAX_TURNS:
            raise RuntimeError("time stands still")


class VirtualLoop(asyncio.SelectorEventLoop):
    """``asyncio.sleep`` takes virtual time and no real one; the same seed gives the same order."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(_Jumping(clock))
        self._virtual, self._start = clock, clock.now()
        self._clock_resolution = TICK

    def time(self) -> float:
        return (self._virtual.now() - self._start).total_seconds()


def run(clock: Clock, main: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what is left over is cancelled."""
    loop = VirtualLoop(clock)
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
