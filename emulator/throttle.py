"""ARM's limits: "Throttling Resource Manager requests" in the Azure documentation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
