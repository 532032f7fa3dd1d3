"""A vault's Event Grid system topic: what it raises, to whom, at least once and sometimes twice."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ...core.clock import Clock

NEAR, NEAR_EXPIRY = timedelta(days=30), "SecretNearExpiry"
# Event Grid, "Message delivery and retry": then every 12 hours, until 24 hours are over.
RETRIES = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200)
LIFE = timedelta(hours=24)
FINAL_STATUS = frozenset({400, 401, 403, 413})
_EVER = datetime.min.replace(tzinfo=UTC)
SCHEMAS = ("eventgrid", "cloudevents")


@dataclass
class Subscription:
    """Where a topic delivers, in which schema, and what it filters.

    Near-expiry is raised only for versions made after the subscription (Key Vault, "Monitoring
    with Azure Event Grid"); ``existing`` lifts that for those whose event is yet to come.
    """

    url: str
    schema: str = "eventgrid"
    types: tuple[str, ...] = ()
    begins: str = ""
    ends: str = ""
    name: str = "KEYROT"
    created: datetime = _EVER
    existing: bool = False

    def __post_init__(self) -> None:
        if self.schema not in SCHEMAS:
            raise ValueError(f"schema {self.schema!r} is none of {', '.join(SCHEMAS)}")

    def wants(self, kind: str, subject: str) -> bool:
        wanted = not self.types or kind in self.types or kind.rpartition(".")[2] in self.types
        folded = subject.lower()
        return (
            wanted and folded.startswith(self.begins.lower()) and folded.endswith(self.ends.lower())
        )


@dataclass
class Delivery:
    """One event on its way to one subscription."""

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
        common = {"aeg-event-type": "Notification", "aeg-delivery-count": str(self.attempts)}
        common["aeg-subscription-name"] = self.subscription.name
        if self.subscription.schema == "cloudevents":
            return common | {"Content-Type": "application/cloudevents+json; charset=utf-8"}
        return common | {
            "aeg-data-version": "1",
            "aeg-metadata-version": "1",
            "Content-Type": "application/json; charset=utf-8",
        }

    @property
    def body(self) -> bytes:
        """Event Grid's schema is an array of one; a cloud event is the object itself."""
        single = self.subscription.schema == "cloudevents"
        return json.dumps(self.event if single else [self.event]).encode()


@dataclass
class Topic:
    """Deliveries as plain data: somebody with a socket sends what is due and says how it went.

    ``rearms`` raises near-expiry again for an expiry that was moved, which is not documented.
    """

    clock: Clock
    random: random.Random
    source: str
    vault: str
    url: str
    near_delay: timedelta = timedelta(minutes=1)
    twice: float = 0.05
    rearms: bool = False
    subscriptions: list[Subscription] = field(default_factory=list)
    pending: list[Delivery] = field(default_factory=list)
    dead_letters: list[Delivery] = field(default_factory=list)

    def subscribe(self, subscription: Subscription) -> Subscription:
        """From now on."""
        subscription.created = self.clock.now()
        self.subscriptions.append(subscription)
        return subscription

    def version_made(self, name: str, version: str, nbf: int | None, exp: int | None) -> None:
        """Raise SecretNewVersionCreated."""
        now = self.clock.now()
        self._publish("SecretNewVersionCreated", name, self._data(name, version, nbf, exp), now)

    def arm(
        self,
        name: str,
        version: str,
        nbf: int | None,
        exp: int | None,
        made: datetime,
        applies: Callable[[], bool],
        *,
        moved: bool = False,
    ) -> None:
        """Raise what the expiry asks for, at its time, if it still ``applies`` then."""
        if exp is None:
            return
        data, expiry = self._data(name, version, nbf, exp), datetime.fromtimestamp(exp, UTC)

        def later(kind: str) -> Callable[[], None]:
            def fire() -> None:
                if applies():
                    self._publish(kind, name, data, made)

            return fire

        soon = self.clock.now() + self.near_delay
        if self.rearms or not moved:
            self.clock.at(max(expiry - NEAR, soon), later(NEAR_EXPIRY))
        self.clock.at(max(expiry, soon), later("SecretExpired"))

    def due(self) -> list[Delivery]:
        """What is to be sent now."""
        return [delivery for delivery in self.pending if delivery.next_at <= self.clock.now()]

    def delivered(self, delivery: Delivery, status: int | None) -> None:
        """How a try ended; None is no answer within 30 seconds."""
        delivery.attempts += 1
        delivery.outcome = str(status) if status else "TimedOut"
        if status is not None and 200 <= status <= 204:
            self.pending.remove(delivery)
            return
        delay = timedelta(seconds=RETRIES[min(delivery.attempts, len(RETRIES)) - 1])
        delivery.next_at = self.clock.now() + delay
        if status in FINAL_STATUS or delivery.next_at > delivery.first_at + LIFE:
            self.pending.remove(delivery)
            self.dead_letters.append(delivery)

    def _publish(self, kind: str, name: str, data: dict[str, Any], made: datetime) -> None:
        kind = f"Microsoft.KeyVault.{kind}"
        now = self.clock.now()
        for subscription in self.subscriptions:
            early = kind.endswith(NEAR_EXPIRY) and subscription.created > made
            if (early and not subscription.existing) or not subscription.wants(kind, name):
                continue
            event = self._event(subscription, kind, name, data)
            copies = 1 + (self.random.random() < self.twice)
            for _ in range(copies):
                self.pending.append(Delivery(str(uuid.uuid4()), subscription, event, now, now))

    def _event(
        self, subscription: Subscription, kind: str, name: str, data: dict[str, Any]
    ) -> dict[str, Any]:
        time = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z"
        identity = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        if subscription.schema == "cloudevents":
            return {
                "id": identity,
                "source": self.source,
                "subject": name,
                "type": kind,
                "time": time,
                "data": data,
                "specversion": "1.0",
            }
        return {
            "id": identity,
            "topic": self.source,
            "subject": name,
            "eventType": kind,
            "data": data,
            "dataVersion": "1",
            "metadataVersion": "1",
            "eventTime": time,
        }

    def _data(self, name: str, version: str, nbf: int | None, exp: int | None) -> dict[str, Any]:
        return {
            "Id": f"{self.url}/secrets/{name}/{version}",
            "VaultName": self.vault,
            "ObjectType": "Secret",
            "ObjectName": name,
            "Version": version,
            "NBF": nbf,
            "EXP": exp,
        }
