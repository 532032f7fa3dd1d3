"""The one clock of the emulated Azure, which can be moved forward, and its scheduled callbacks."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus a shift, or virtual time, which only ``advance`` moves."""

    def __init__(self, start: datetime | None = None) -> None:
        self._virtual = start
        self._shift = timedelta()
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._serial = itertools.count()

    @property
    def is_virtual(self) -> bool:
        return self._virtual is not None

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return self._virtual or datetime.now(UTC) + self._shift

    def schedule(self, when: datetime, action: Callable[[], None]) -> None:
        """Schedule a callback."""
        heapq.heappush(self._due, (when, next(self._serial), action))

    def advance(self, delta: timedelta) -> None:
        """Let time pass; each callback that falls due runs at its own time."""
        until = self.now() + delta
        while self._due and self._due[0][0] <= until:
            when, _, action = heapq.heappop(self._due)
            self._move_to(max(when, self.now()))
            action()
        self._move_to(until)

    def run_due(self) -> None:
        """Run the callbacks that are due."""
        while self._due and self._due[0][0] <= self.now():
            heapq.heappop(self._due)[2]()

    def _move_to(self, when: datetime) -> None:
        if self._virtual is not None:
            self._virtual = when
        else:
            self._shift += max(when - self.now(), timedelta())
