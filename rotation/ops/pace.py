"""The pace of many reads in a row: Azure limits them, and other callers need some too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from ..domain.errors import Transient

TRIES = 4

LONGEST = 60.0  # seconds to wait before a read is repeated

BURST = 6  # with a rate of 4, at most the 10 reads of keys that ARM allows in a second

T = TypeVar("T")


@dataclass
class Pace:
    """Starts ``rate`` reads a second, and the first ``burst`` at once.

    After a Retry-After all reads wait, and the one that was throttled is repeated.
    """

    rate: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic
    burst: int = BURST
    longest: float = LONGEST
    _next: float = 0.0

    async def read(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what ``call`` returns, which must change nothing. Raises what it raises."""
        for left in reversed(range(TRIES)):
            await self._turn()
            try:
                return await call()
            except Transient as exc:
                wait = exc.retry_after.total_seconds() if exc.retry_after else None
                if wait is None or wait > self.longest or not left:
                    raise
                self._next = max(self._next, self.now() + wait)
        raise AssertionError("unreachable")

    async def _turn(self) -> None:
        at = max(self._next, self.now() - self.burst / self.rate)
        self._next = at + 1 / self.rate
        if at > self.now():
            await self.sleep(at - self.now())
