"""Limits: "Throttling Resource Manager requests", and Key Vault's "Service limits"."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=10)


@dataclass
class Bucket:
    """ARM's token bucket, per principal and subscription."""

    size: float
    refill: float
    left: float
    at: datetime

    def take(self, now: datetime) -> bool:
        gained = (now - self.at).total_seconds() * self.refill
        self.left, self.at = min(self.size, self.left + gained), now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass
class Throttle:
    """Key Vault's: requests of the last ten seconds; one that is refused does not count."""

    limit: int
    seen: deque[datetime] = field(default_factory=deque)

    def admit(self, now: datetime) -> bool:
        while self.seen and self.seen[0] <= now - WINDOW:
            self.seen.popleft()
        if len(self.seen) >= self.limit:
            return False
        self.seen.append(now)
        return True
