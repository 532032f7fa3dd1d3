"""The delivery of a vault's events to the function app, as infra/ configures it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..azure import Azure
from ..proxy.server import Proxy
from ..services.eventgrid.subscription import Subscription

TYPES = ("SecretNearExpiry", "SecretExpired")


async def subscribe(azure: Azure, proxy: Proxy, host: Mapping[str, Any], vault: str) -> None:
    """Deliver to the work queue; without storage, to the webhook."""
    if proxy.control.deliverer.storage:
        azure.subscribe(vault, "queue:rotation-work", types=TYPES)
        return
    code = host["eventgrid_key"]
    url = f"{host['url']}/runtime/webhooks/eventgrid?functionName=secret_expiring&code={code}"
    subscription, topic = Subscription(url, types=TYPES), azure.vault(vault).topic
    await proxy.control.deliverer.validate(subscription, topic)
    topic.subscribe(subscription)
