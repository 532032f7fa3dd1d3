"""The settings in host.json that this host supports."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True)
class HostSettings:
    """The settings in host.json that this host supports."""

    route_prefix: str = "api"
    timeout: timedelta = timedelta(minutes=30)
    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta()
    max_polling: timedelta = timedelta(minutes=1)
    base64: bool = True

    @classmethod
    def load(cls, directory: Path) -> HostSettings:
        path = directory / "host.json"
        body = json.loads(path.read_text()) if path.exists() else {}
        extensions = body.get("extensions", {})
        queues, http = extensions.get("queues", {}), extensions.get("http", {})
        batch = int(queues.get("batchSize", 16))
        return cls(
            route_prefix=http.get("routePrefix", "api"),
            timeout=_span(body.get("functionTimeout", "00:30:00")),
            batch_size=batch,
            new_batch_threshold=int(queues.get("newBatchThreshold", batch // 2)),
            max_dequeue_count=int(queues.get("maxDequeueCount", 5)),
            visibility_timeout=_span(queues.get("visibilityTimeout", "00:00:00")),
            max_polling=_span(queues.get("maxPollingInterval", "00:01:00")),
            base64=str(queues.get("messageEncoding", "base64")).lower() == "base64",
        )


def _span(text: str) -> timedelta:
    """Parse ``[d.]hh:mm:ss``; a negative time means no limit."""
    if text.startswith("-"):
        return timedelta(days=365)
    hours, minutes, seconds = text.split(":")
    days, _, hours = hours.rpartition(".")
    return timedelta(
        days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=float(seconds)
    )
