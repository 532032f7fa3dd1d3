"""A system topic: the events of one Azure resource, at least once and sometimes twice."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...core.clock import Clock
from .delivery import Delivery
from .subscription import Subscription
from .times import event_time


def _every_subscription(subscription: Subscription) -> bool:
    return True


@dataclass
class SystemTopic:
    """Deliveries as plain data: the sender takes ``due`` ones and reports how each attempt ended.

    ``source`` is the ARM id of the resource, ``duplicates`` the share of events delivered twice.
    """

    clock: Clock
    random: random.Random
    source: str
    duplicates: float = 0.05
    subscriptions: list[Subscription] = field(default_factory=list)
    pending: list[Delivery] = field(default_factory=list)
    dead_letters: list[Delivery] = field(default_factory=list)

    def subscribe(self, subscription: Subscription) -> Subscription:
        """Deliver events from now on."""
        subscription.created = self.clock.now()
        self.subscriptions.append(subscription)
        return subscription

    def publish(
        self,
        event_type: str,
        subject: str,
        data: dict[str, Any],
        receives: Callable[[Subscription], bool] = _every_subscription,
    ) -> None:
        """Queue an event for each subscription that ``receives`` it and whose filter accepts it."""
        now = self.clock.now()
        for subscription in self.subscriptions:
            if not receives(subscription) or not subscription.accepts(event_type, subject):
                continue
            event = self._event(subscription, event_type, subject, data, now)
            copies = 1 + (self.random.random() < self.duplicates)
            for _ in range(copies):
                self.pending.append(Delivery(str(uuid.uuid4()), subscription, event, now, now))

    def due(self) -> list[Delivery]:
        """Return the deliveries to attempt now."""
        return [delivery for delivery in self.pending if delivery.next_at <= self.clock.now()]

    def report(self, delivery: Delivery, status: int | None) -> None:
        """Record an attempt; a status of None means no response within 30 seconds."""
        delivery.record(status, self.clock.now())
        if status is not None and 200 <= status <= 204:
            self.pending.remove(delivery)
        elif delivery.has_failed(status):
            self.pending.remove(delivery)
            self.dead_letters.append(delivery)

    def _event(
        self,
        subscription: Subscription,
        event_type: str,
        subject: str,
        data: dict[str, Any],
        now: datetime,
    ) -> dict[str, Any]:
        time = event_time(now)
        event_id = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        if subscription.schema == "cloudevents":
            return {
                "id": event_id,
                "source": self.source,
                "subject": subject,
                "type": event_type,
                "time": time,
                "data": data,
                "specversion": "1.0",
            }
        return {
            "id": event_id,
            "topic": self.source,
            "subject": subject,
            "eventType": event_type,
            "data": data,
            "dataVersion": "1",
            "metadataVersion": "1",
            "eventTime": time,
        }
