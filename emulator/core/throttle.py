"""Limits: "Throttling Resource Manager requests", and Key Vault's "Service limits"."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

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

    @property
    def wait(self) -> int:
        """Whole seconds until there is one again."""
        return max(1, ceil((1 - self.left) / self.refill))


@dataclass
class Buckets:
    """ARM's buckets: 250 reads and 25 more each second, 200 writes and 10 more each second."""

    held: dict[tuple[str, tuple[str, str]], Bucket] = field(default_factory=dict)

    def of(self, kind: str, scope: tuple[str, str], now: datetime) -> Bucket:
        """``kind`` is reads or writes, ``scope`` a principal and a subscription."""
        if (kind, scope) not in self.held:
            size, refill = (250.0, 25.0) if kind == "reads" else (200.0, 10.0)
            self.held[kind, scope] = Bucket(size, refill, size, now)
        return self.held[kind, scope]


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
