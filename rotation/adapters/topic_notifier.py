"""CloudEvents to a custom Event Grid topic (azure-eventgrid)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid.aio import EventGridPublisherClient

from ..domain.cloud import PUBLIC
from ..domain.errors import Permanent, RotationError
from .pipeline import CONNECT_SECONDS, READ_SECONDS, TransportFactory
from .sdk_errors import failure

SOURCE = "/azure-ai-key-rotation"

_REMEDY = "grant the service's identity the role EventGrid Data Sender on the topic"


class TopicNotifier:
    """Sends events to ``endpoint``: https://{topic}.{region}-1.eventgrid.azure.net/api/events.

    Options go to the constructor: ``send`` would also add them to the event.
    """

    def __init__(
        self,
        endpoint: str,
        credential: AsyncTokenCredential,
        transport: TransportFactory | None = None,
        scope: str = PUBLIC.events,
    ) -> None:
        options: dict[str, Any] = {
            "retry_total": 0,
            "permit_redirects": False,
            "connection_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
        }
        if transport:
            options["transport"] = transport()
        self._client = EventGridPublisherClient(
            endpoint, _ScopedCredential(credential, scope), **options
        )

    async def send(self, event: Mapping[str, Any]) -> None:
        """Send an event once. After a lost response it is sent again with the same id."""
        message = CloudEvent(
            source=SOURCE,
            type=event["type"],
            data=event["data"],
            id=event["id"],
            time=event["time"],
            subject=event["subject"],
            datacontenttype="application/json",
        )
        try:
            await self._client.send(message)
        except AzureError as exc:
            raise _failed(exc) from None

    async def close(self) -> None:
        await self._client.close()


class _ScopedCredential:
    """A credential with a fixed scope: the client asks for the public cloud's in every cloud.

    See ``DEFAULT_EVENTGRID_SCOPE`` in azure-eventgrid. It belongs to the caller and is not closed.
    """

    def __init__(self, credential: AsyncTokenCredential, scope: str) -> None:
        self._credential, self._scope = credential, scope

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return await self._credential.get_token(self._scope, **options)

    async def close(self) -> None:
        """Do nothing."""

    async def __aenter__(self) -> _ScopedCredential:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.close()


def _failed(exc: AzureError) -> RotationError:
    found = failure(exc, "publish an event")
    if isinstance(exc, HttpResponseError) and exc.status_code == 403:
        return Permanent(str(found), code=found.code, remedy=_REMEDY)
    return found
