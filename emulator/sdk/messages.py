"""Translates azure-core's requests and responses, for both generations of its clients."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, MutableMapping
from http import client
from typing import Any

from azure.core.pipeline.transport import AsyncHttpResponse as LegacyAsyncResponse
from azure.core.pipeline.transport import HttpResponse as LegacyResponse
from azure.core.rest import HttpRequest as RestRequest
from azure.core.rest._http_response_impl import HttpResponseImpl
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.core.utils import case_insensitive_dict

from ..core.wire import Headers, Request, Response


def request_of(request: Any) -> Request:
    """Return a client's request."""
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


def members(request: Any, response: Response, stream: Any, held: Any) -> dict[str, Any]:
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


def rest(request: Any, response: Response, stream: bool) -> HttpResponseImpl:
    """Return a response for a client of the newer generation."""
    found = HttpResponseImpl(**members(request, response, Stream, Held(response.body)))
    if not stream:
        found.read()
    return found


async def rest_async(request: Any, response: Response, stream: bool) -> AsyncHttpResponseImpl:
    held = _AsyncHeld(response.body)
    found = AsyncHttpResponseImpl(**members(request, response, _AsyncStream, held))
    if not stream:
        await found.read()
    return found


class Held:
    """The body of a response that is not read yet."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def close(self) -> None:
        """Nothing to close."""


class _AsyncHeld:
    def __init__(self, body: bytes) -> None:
        self.body = body

    async def close(self) -> None:
        """Nothing to close."""


class Stream:
    """The body in one piece."""

    def __init__(self, pipeline: Any, response: Any, **kwargs: Any) -> None:
        self._body = response._internal_response.body
        self.response, self.content_length = response, len(self._body)

    def __iter__(self) -> Iterator[bytes]:
        yield self._body


class _AsyncStream(Stream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


class Legacy(LegacyResponse):
    """The response class of clients that were generated before azure.core.rest."""

    def __init__(self, request: Any, response: Response) -> None:
        super().__init__(request, response)
        _fill(self, response)
        self._body = response.body

    def body(self) -> bytes:
        return self._body


class LegacyAsync(LegacyAsyncResponse):
    def __init__(self, request: Any, response: Response) -> None:
        super().__init__(request, response)
        _fill(self, response)
        self._body = response.body

    async def load_body(self) -> None:
        """Do nothing: the body has already been read."""

    def body(self) -> bytes:
        return self._body


def _fill(target: Legacy | LegacyAsync, response: Response) -> None:
    target.status_code = response.status
    target.headers = _headers(response)
    target.reason = client.responses.get(response.status, "")
    target.content_type = response.headers.get("content-type")
