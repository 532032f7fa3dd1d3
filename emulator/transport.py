"""The core as transports of azure-core: real SDK clients, in process, no sockets.

A dropped connection raises what the real transports raise: on aiohttp a ServiceRequestError over a
ServerDisconnectedError, on requests a ServiceResponseError. Only a connection that was never made
says so, which a host that the emulator does not know is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, MutableMapping
from datetime import timedelta
from http import client
from types import TracebackType
from typing import Any

from aiohttp import ClientConnectorError, ServerDisconnectedError
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpResponse as LegacyAsyncResponse
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.pipeline.transport import HttpResponse as LegacyResponse
from azure.core.rest import HttpRequest as RestRequest
from azure.core.rest._http_response_impl import HttpResponseImpl
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.core.utils import case_insensitive_dict

from .azure import Azure, UnknownHost
from .identity import LIFETIME, Principal
from .wire import Dropped, Headers, Request, Response


class AsyncEmulatorTransport(AsyncHttpTransport[Any, Any]):
    """For ``.aio`` clients: ``SecretClient(url, credential, transport=…)``."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    async def send(self, request: Any, **kwargs: Any) -> Any:
        wire = _request(request)
        await asyncio.sleep(0)
        try:
            delay = self._azure.delay_of(wire)
            response = self._azure.handle(wire)
        except UnknownHost as exc:
            connector = ClientConnectorError(_Key(wire.host), OSError(f"no host {exc}"))  # type: ignore[arg-type]
            raise ServiceRequestError(connector, error=connector) from connector
        except Dropped as exc:
            lost = ServerDisconnectedError(str(exc))
            raise ServiceRequestError(lost, error=lost) from lost
        if delay:
            await self.sleep(delay.total_seconds())
        if isinstance(request, RestRequest):
            return await _rest_async(request, response, bool(kwargs.get("stream")))
        return _LegacyAsync(request, response)

    async def sleep(self, duration: float) -> None:
        """In virtual time sleeping is what makes time pass."""
        if not self._azure.clock.is_virtual:
            await asyncio.sleep(duration)
            return
        self._azure.advance(timedelta(seconds=duration))
        await asyncio.sleep(0)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


class EmulatorTransport(HttpTransport[Any, Any]):
    """For the synchronous clients."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    def send(self, request: Any, **kwargs: Any) -> Any:
        wire = _request(request)
        try:
            delay = self._azure.delay_of(wire)
            response = self._azure.handle(wire)
        except UnknownHost as exc:
            raise ServiceRequestError(f"no host {exc}") from exc
        except Dropped as exc:
            raise ServiceResponseError(str(exc)) from exc
        if delay:
            self.sleep(delay.total_seconds())
        if isinstance(request, RestRequest):
            found = HttpResponseImpl(**_members(request, response, _Stream, _Held(response.body)))
            if not kwargs.get("stream"):
                found.read()
            return found
        return _Legacy(request, response)

    def sleep(self, duration: float) -> None:
        if self._azure.clock.is_virtual:
            self._azure.advance(timedelta(seconds=duration))
        else:
            super().sleep(duration)

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()


class AsyncCredential:
    """Tokens of one principal, straight from the core.

    In virtual time they live long: the SDKs' caches count in real time and would keep dead ones.
    """

    def __init__(self, azure: Azure, principal: Principal) -> None:
        self._azure = azure
        self._principal = principal

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        audience = scopes[0].removesuffix("/.default")
        lifetime = timedelta(days=36500) if self._azure.clock.is_virtual else LIFETIME
        text = self._azure.identity.issue(self._principal, audience, lifetime)
        return AccessToken(text, int(self._azure.identity.tokens[text].expires.timestamp()))

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> AsyncCredential:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()


class _Key:
    """What aiohttp's connector errors want to know of a connection."""

    def __init__(self, host: str) -> None:
        self.host, self.port, self.ssl, self.is_ssl = host, 443, True, True


def _request(request: Any) -> Request:
    return Request(request.method, request.url, Headers(dict(request.headers)), _body(request))


def _body(request: Any) -> bytes:
    if isinstance(request, RestRequest):
        content: Any = request._data if request._data is not None else request.content
    else:
        content = request.data
    if content is None:
        return b""
    if isinstance(content, str):
        return content.encode()
    return (
        bytes(content) if isinstance(content, (bytes, bytearray)) else json.dumps(content).encode()
    )


def _members(request: Any, response: Response, stream: Any, held: Any) -> dict[str, Any]:
    return {
        "request": request,
        "internal_response": held,
        "block_size": 4096,
        "status_code": response.status,
        "reason": client.responses.get(response.status, ""),
        "content_type": response.headers.get("content-type", ""),
        "headers": _headers(response),
        "stream_download_generator": stream,
    }


def _headers(response: Response) -> MutableMapping[str, str]:
    found: MutableMapping[str, str] = case_insensitive_dict(response.headers)
    return found


async def _rest_async(request: Any, response: Response, stream: bool) -> AsyncHttpResponseImpl:
    held = _AsyncHeld(response.body)
    found = AsyncHttpResponseImpl(**_members(request, response, _AsyncStream, held))
    if not stream:
        await found.read()
    return found


class _Held:
    """What a connection would still hold of a response."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def close(self) -> None:
        """Nothing to close."""


class _AsyncHeld:
    def __init__(self, body: bytes) -> None:
        self.body = body

    async def close(self) -> None:
        """Nothing to close."""


class _Stream:
    """The body in one piece."""

    def __init__(self, pipeline: Any, response: Any, **kwargs: Any) -> None:
        self._body = response._internal_response.body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body


class _AsyncStream(_Stream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


class _Legacy(LegacyResponse):
    """The response class of clients that were generated before azure.core.rest."""

    def __init__(self, request: Any, response: Response) -> None:
        super().__init__(request, response)
        self.status_code = response.status
        self.headers = _headers(response)
        self.reason = client.responses.get(response.status, "")
        self.content_type = response.headers.get("content-type")
        self._body = response.body

    def body(self) -> bytes:
        return self._body


class _LegacyAsync(LegacyAsyncResponse):
    def __init__(self, request: Any, response: Response) -> None:
        super().__init__(request, response)
        self.status_code = response.status
        self.headers = _headers(response)
        self.reason = client.responses.get(response.status, "")
        self.content_type = response.headers.get("content-type")
        self._body = response.body

    async def load_body(self) -> None:
        """It is here already."""

    def body(self) -> bytes:
        return self._body
