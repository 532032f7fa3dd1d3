"""One event on its way to one subscription: its HTTP form, and when to try again.

Event Grid, "Message delivery and retry".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .subscription import Subscription

# Seconds between attempts; the last one repeats.
RETRIES = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200)
# Not retried: 400, 403 and 413; from a webhook, 401 as well.
FINAL_STATUSES = frozenset({400, 403, 413})


@dataclass
class Delivery:
    """One event for one subscription, and its attempts so far."""

    id: str
    subscription: Subscription
    event: dict[str, Any]
    first_at: datetime
    next_at: datetime
    attempts: int = 0
    outcome: str = ""

    @property
    def url(self) -> str:
        return self.subscription.url

    @property
    def headers(self) -> dict[str, str]:
        common = {
            "aeg-event-type": "Notification",
            "aeg-delivery-count": str(self.attempts),
            "aeg-subscription-name": self.subscription.name,
        }
        if self.subscription.schema == "cloudevents":
            return common | {"Content-Type": "application/cloudevents+json; charset=utf-8"}
        return common | {
            "aeg-data-version": "1",
            "aeg-metadata-version": "1",
            "Content-Type": "application/json; charset=utf-8",
        }

    @property
    def body(self) -> bytes:
        """An array of one event in Event Grid's schema; a cloud event is the object itself."""
        single = self.subscription.schema == "cloudevents"
        return json.dumps(self.event if single else [self.event]).encode()

    def record(self, status: int | None, now: datetime) -> None:
        """Count an attempt and schedule the next; a status of None is a timeout."""
        self.attempts += 1
        self.outcome = str(status) if status else "TimedOut"
        wait = RETRIES[min(self.attempts, len(RETRIES)) - 1]
        self.next_at = now + timedelta(seconds=wait)

    def has_failed(self, status: int | None) -> bool:
        """Return whether Event Grid gives up after this attempt."""
        policy = self.subscription
        final = status in FINAL_STATUSES or (status == 401 and not policy.queue)
        lifetime = timedelta(minutes=policy.ttl_minutes)
        return (
            final or self.attempts >= policy.max_attempts or self.next_at > self.first_at + lifetime
        )
