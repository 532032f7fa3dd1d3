"""One shiftable clock for all of the emulated Azure, and what is due on it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus a shift; or virtual time, which moves only by ``advance``."""

    def __init__(self, start: datetime | None = None) -> None:
        self._virtual = start
        self._shift = timedelta()
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._serial = itertools.count()

    @property
    def is_virtual(self) -> bool:
        return self._virtual is not None

    def now(self) -> datetime:
        """Aware, in UTC."""
        return self._virtual or datetime.now(UTC) + self._shift

    def at(self, when: datetime, action: Callable[[], None]) -> None:
        """Do something when the time has come."""
        heapq.heappush(self._due, (when, next(self._serial), action))

    def advance(self, delta: timedelta) -> None:
        """Let time pass; what falls due on the way happens at its own time."""
        until = self.now() + delta
        while self._due and self._due[0][0] <= until:
            when, _, action = heapq.heappop(self._due)
            self._move_to(max(when, self.now()))
            action()
        self._move_to(until)

    def run_due(self) -> None:
        """Do what is due by now."""
        while self._due and self._due[0][0] <= self.now():
            heapq.heappop(self._due)[2]()

    def next_due(self) -> datetime | None:
        """When something is due next, if anything is."""
        return self._due[0][0] if self._due else None

    def _move_to(self, when: datetime) -> None:
        if self._virtual is not None:
            self._virtual = when
        else:
            self._shift += max(when - self.now(), timedelta())
