"""Storage queue messages: their encoding, and azure-functions' form of them."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from azure.functions import meta
from azure.functions.queue import QueueMessageInConverter


def decode(text: str, *, is_base64: bool) -> str:
    """Return a message's content. Raises ValueError if it is not base64 but has to be."""
    if not is_base64:
        return text
    return base64.b64decode("".join(text.split()), validate=True).decode()


def argument(message: Any, content: str) -> Any:
    """Return the function's argument for a received message."""
    metadata = {
        "Id": meta.Datum(message.id, "string"),
        "DequeueCount": meta.Datum(str(message.dequeue_count), "string"),
        "PopReceipt": meta.Datum(message.pop_receipt, "string"),
        "InsertionTime": _time(message.inserted_on),
        "ExpirationTime": _time(message.expires_on),
        "NextVisibleTime": _time(message.next_visible_on),
    }
    datum = meta.Datum(content, "string")
    return QueueMessageInConverter.decode(datum, trigger_metadata=metadata)


def _time(moment: datetime | None) -> meta.Datum:
    return meta.Datum(moment.isoformat() if moment else "", "string")
