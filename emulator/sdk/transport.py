"""The emulator as transports of azure-core: SDK clients in this process, without sockets.

They raise the real transports' errors. A dropped connection is a ServiceRequestError over a
ServerDisconnectedError on aiohttp, and a ServiceResponseError on requests. An unknown host is a
failed connection. A response after the client's read timeout is a ServiceResponseTimeoutError;
its effect has happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any

from aiohttp import ClientConnectorError, ServerDisconnectedError
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import HttpRequest as RestRequest

from ..azure import Azure, UnknownHost
from ..core.identity import LIFETIME, Principal
from ..core.wire import Dropped, Request, Response
from .messages import Legacy, LegacyAsync, request_of, rest, rest_async

_READ_TIMEOUT = 300


class AsyncEmulatorTransport(AsyncHttpTransport[Any, Any]):
    """A transport for ``.aio`` clients: ``SecretClient(url, credential, transport=…)``."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    async def send(self, request: Any, **kwargs: Any) -> Any:
        wire = request_of(request)
        await asyncio.sleep(0)
        try:
            delay = self._azure.delay_of(wire)
            response = await self.exchange(wire)
        except UnknownHost as exc:
            connector = ClientConnectorError(_Key(wire.host), OSError(f"no host {exc}"))  # type: ignore[arg-type]
            raise ServiceRequestError(connector, error=connector) from connector
        except Dropped as exc:
            lost = ServerDisconnectedError(str(exc))
            raise ServiceRequestError(lost, error=lost) from lost
        if delay:
            timeout = _timeout(kwargs)
            await self.sleep(min(delay.total_seconds(), timeout))
            if delay.total_seconds() > timeout:
                raise ServiceResponseTimeoutError("Timeout on reading data from socket")
        if isinstance(request, RestRequest):
            return await rest_async(request, response, bool(kwargs.get("stream")))
        return LegacyAsync(request, response)

    async def exchange(self, request: Request) -> Response:
        """Return the emulator's response. Raises Dropped and UnknownHost."""
        return self._azure.handle(request)

    async def sleep(self, duration: float) -> None:
        """Sleep; in virtual time, let time pass instead."""
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
    """A transport for synchronous clients."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    def send(self, request: Any, **kwargs: Any) -> Any:
        wire = request_of(request)
        try:
            delay = self._azure.delay_of(wire)
            response = self._azure.handle(wire)
        except UnknownHost as exc:
            raise ServiceRequestError(f"no host {exc}") from exc
        except Dropped as exc:
            raise ServiceResponseError(str(exc)) from exc
        if delay:
            timeout = _timeout(kwargs)
            self.sleep(min(delay.total_seconds(), timeout))
            if delay.total_seconds() > timeout:
                raise ServiceResponseTimeoutError("Read timed out.")
        if isinstance(request, RestRequest):
            return rest(request, response, bool(kwargs.get("stream")))
        return Legacy(request, response)

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
    """A credential with tokens of one principal.

    In virtual time they are valid for a century: the SDKs' caches count in real time.
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


def _timeout(options: Mapping[str, Any]) -> float:
    """Return the client's read timeout, in seconds."""
    return float(options.get("read_timeout") or _READ_TIMEOUT)


class _Key:
    """The connection key that aiohttp's connector errors need."""

    def __init__(self, host: str) -> None:
        self.host, self.port, self.ssl, self.is_ssl = host, 443, True, True
