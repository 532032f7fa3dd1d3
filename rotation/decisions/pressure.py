"""The room that normal work makes, by Azure's answers about a subscription or a vault. Pure.

A sweep keeps its own calls within the limits. Others use them too: emergencies, people, pipelines,
a second service. So normal work stops while few calls are left, and starts fewer visits after an
answer 429, and then more again (additive increase, multiplicative decrease).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .pacing import ARM_WRITES, RESERVE

# Visits that wait for the same moment come back within this time.
SPREAD = timedelta(seconds=5)

LEAST_SHARE = 1 / 16

GAIN = 0.02  # of all visits, each second

# A pause that ends later than this was noted before the clock was set back.
LONGEST = timedelta(minutes=65)

# Answers within this time are about the same burst.
BURST = timedelta(seconds=2)


@dataclass(frozen=True)
class Pressure:
    """The state of one place. ``share`` is the part of its visits that started at ``at``.

    Nothing starts until ``until``.
    """

    share: float = 1.0
    at: datetime | None = None
    until: datetime | None = None

    def left(self, writes: int, now: datetime) -> Pressure:
        """Return the pressure after an answer that so many writes are left."""
        if writes >= RESERVE:
            return self
        return self._until(now + timedelta(seconds=(RESERVE - writes) / ARM_WRITES.rate))

    def refused(self, asked: timedelta | None, now: datetime) -> Pressure:
        """Return the pressure after an answer 429, which may ask for a pause."""
        paused = self._until(now + asked) if asked else self
        if self.at is not None and now - self.at < BURST:
            return paused
        return replace(paused, share=max(self.share_at(now) / 2, LEAST_SHARE), at=now)

    def share_at(self, now: datetime) -> float:
        """Return the part of the visits that may start now."""
        if self.at is None:
            return self.share
        return min(1.0, self.share + GAIN * max(0.0, (now - self.at).total_seconds()))

    def pause(self, lot: float, now: datetime) -> timedelta:
        """Return how long a visit waits, zero if it may start. ``lot`` is its own, from 0 to 1."""
        if self.until is not None and now < self.until <= now + LONGEST:
            return self.until - now + SPREAD * lot
        return SPREAD * (1 + lot) if lot >= self.share_at(now) else timedelta()

    def _until(self, moment: datetime) -> Pressure:
        return replace(self, until=max(moment, self.until or moment))
