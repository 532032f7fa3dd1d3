"""The events that a vault publishes on its system topic, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ...core.clock import Clock
from ..eventgrid.subscription import Subscription
from ..eventgrid.system_topic import SystemTopic
from .model import Version

NEAR = timedelta(days=30)
PREFIX = "Microsoft.KeyVault."

LATEST = 250_000_000_000  # seconds: in the year 9892; later expiries exist, but are never reached


@dataclass
class VaultEvents:
    """Publishes new versions at once, near expiry 30 days before it, and expiry.

    ``near_delay`` is how late a near-expiry event is at least. ``rearms`` publishes near expiry
    again for an expiry that was moved, which Azure's documentation leaves open. ``on_near_expiry``
    gets the version's address, with or without a subscription.
    """

    clock: Clock
    topic: SystemTopic
    vault: str
    url: str
    near_delay: timedelta = timedelta(minutes=1)
    rearms: bool = False
    on_near_expiry: Callable[[str], None] | None = None

    def version_created(self, name: str, version: Version) -> None:
        """Publish SecretNewVersionCreated."""
        self.topic.publish(PREFIX + "SecretNewVersionCreated", name, self._data(name, version))

    def schedule_expiry(
        self, name: str, version: Version, applies: Callable[[], bool], *, moved: bool = False
    ) -> None:
        """Publish near expiry and expiry at their times, each only if it still ``applies``."""
        if version.exp is None or version.exp > LATEST:
            return
        data, expiry = self._data(name, version), datetime.fromtimestamp(version.exp, UTC)

        def receives(subscription: Subscription) -> bool:
            return subscription.existing or subscription.created <= version.created

        def publish_near_expiry() -> None:
            if not applies():
                return
            if self.on_near_expiry:
                self.on_near_expiry(data["Id"])
            self.topic.publish(PREFIX + "SecretNearExpiry", name, data, receives)

        def publish_expired() -> None:
            if applies():
                self.topic.publish(PREFIX + "SecretExpired", name, data)

        soonest = self.clock.now() + self.near_delay
        if self.rearms or not moved:
            self.clock.schedule(max(expiry - NEAR, soonest), publish_near_expiry)
        self.clock.schedule(max(expiry, soonest), publish_expired)

    def _data(self, name: str, version: Version) -> dict[str, Any]:
        return {
            "Id": f"{self.url}/secrets/{name}/{version.id}",
            "VaultName": self.vault,
            "ObjectType": "Secret",
            "ObjectName": name,
            "Version": version.id,
            "NBF": version.nbf,
            "EXP": version.exp,
        }
