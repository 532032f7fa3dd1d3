"""Delivers the emulated Event Grid's events."""

from __future__ import annotations

import json

from emulator.azure import Azure


def deliver(azure: Azure) -> list[str]:
    """Deliver every due event; return the last parts of their types, each once."""
    types = set()
    for topic, delivery in azure.due_deliveries():
        event = json.loads(delivery.body)
        event = event[0] if isinstance(event, list) else event
        types.add((event.get("eventType") or event["type"]).rpartition(".")[2])
        topic.report(delivery, 202)
    return sorted(types)
