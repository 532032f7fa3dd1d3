"""CloudEvents to a custom Event Grid topic (azure-eventgrid)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.eventgrid.aio import EventGridPublisherClient

from .failures import failure
from .pipeline import CONNECT_SECONDS, READ_SECONDS

SOURCE = "/azure-ai-key-rotation"


class TopicNotifier:
    """Options go with each ``send``: this client drops those of its constructor.

    The event is a mapping in CloudEvents' JSON format: with a ``CloudEvent`` object the client
    takes the options for members of the event and warns of each.
    """

    def __init__(self, endpoint: str, credential: AsyncTokenCredential) -> None:
        self._client = EventGridPublisherClient(endpoint, credential)
        self._options: dict[str, Any] = {
            "retry_total": 0,
            "connection_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
        }

    async def send(self, event: Mapping[str, Any]) -> None:
        message = {
            "specversion": "1.0",
            "id": event["id"],
            "source": SOURCE,
            "type": event["type"],
            "subject": event["subject"],
            "time": event["time"].isoformat(),
            "datacontenttype": "application/json",
            "data": event["data"],
        }
        try:
            await self._client.send(message, **self._options)
        except AzureError as exc:
            raise failure(exc, "publish an event") from None

    async def close(self) -> None:
        await self._client.close()
