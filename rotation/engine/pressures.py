"""Remembers, in this process, what Azure's answers tell about subscriptions and vaults."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..decisions.pressure import Pressure


@dataclass
class Pressures:
    """The pressure on each place: a subscription's id or a vault's URL, in any case."""

    _known: dict[str, Pressure] = field(default_factory=dict)

    def left(self, place: str, writes: int, now: datetime) -> None:
        """Note that Resource Manager has so many writes left for a subscription."""
        self._known[place.lower()] = self._of(place).left(writes, now)

    def refused(self, place: str, asked: timedelta | None, now: datetime) -> None:
        """Note an answer 429, which may ask for a pause."""
        self._known[place.lower()] = self._of(place).refused(asked, now)

    def pause(self, places: Iterable[str], who: str, now: datetime) -> timedelta:
        """Return how long a normal visit waits; ``who`` decides which of many go first."""
        lot = _lot(f"{who}-{now.timestamp():.0f}")
        return max((self._of(p).pause(lot, now) for p in places), default=timedelta())

    def _of(self, place: str) -> Pressure:
        return self._known.get(place.lower(), Pressure())


def _lot(text: str) -> float:
    return hashlib.sha256(text.encode()).digest()[0] / 256
