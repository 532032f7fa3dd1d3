"""The two kinds of rate limit in Azure: token buckets, and requests in a time window."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

WINDOW = timedelta(seconds=10)


@dataclass
class Bucket:
    """A token bucket: ``size`` tokens at most, ``refill`` new ones each second."""

    size: float
    refill: float
    left: float
    at: datetime

    def take(self, now: datetime) -> bool:
        """Take a token; return whether there was one."""
        gained = (now - self.at).total_seconds() * self.refill
        self.left, self.at = min(self.size, self.left + gained), now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    @property
    def wait(self) -> int:
        """Whole seconds until the next token."""
        return max(1, ceil((1 - self.left) / self.refill))


@dataclass
class Throttle:
    """At most ``limit`` requests in ten seconds; a refused request does not count."""

    limit: int
    seen: deque[datetime] = field(default_factory=deque)

    def has_room(self, now: datetime) -> bool:
        """Return whether one more request fits."""
        while self.seen and self.seen[0] <= now - WINDOW:
            self.seen.popleft()
        return len(self.seen) < self.limit

    def count(self, now: datetime) -> None:
        self.seen.append(now)
