"""The handshake by which an endpoint shows that it wants a subscription's events.

Event Grid, "Webhook event delivery" and "CloudEvents: endpoint validation".
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

from .times import event_time

ORIGIN = "eventgrid.azure.net"
HEADERS = {
    "aeg-event-type": "SubscriptionValidation",
    "Content-Type": "application/json; charset=utf-8",
}


def validation_event(source: str, code: str, now: datetime) -> dict[str, Any]:
    """Return the event that asks an endpoint to answer with the code."""
    url = f"https://rp-westeurope.{ORIGIN}/unused"
    return {
        "id": str(uuid.uuid4()),
        "topic": source,
        "subject": "",
        "data": {"validationCode": code, "validationUrl": url},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": event_time(now),
        "metadataVersion": "1",
        "dataVersion": "2",
    }


def accepts(status: int, body: str, code: str) -> bool:
    """Return whether an endpoint's answer is 200 with the code; 202 is not enough."""
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return status == 200 and isinstance(found, dict) and found.get("validationResponse") == code
