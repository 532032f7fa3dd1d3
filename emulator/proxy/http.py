"""HTTP/1.1 on one connection, with h11: bytes to requests, responses to bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import client
from typing import Any

import h11

from ..core.wire import Headers, Request, Response

_CHUNK = 65536


class Connection:
    """The server side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h11 = h11.Connection(h11.SERVER)
        self._method = ""

    async def requests(self, base: str) -> AsyncIterator[Request]:
        """Yield whole requests until the connection closes; ``base`` is the origin in a tunnel."""
        while True:
            head = await self._event()
            if not isinstance(head, h11.Request):
                return
            body = await self._body()
            self._method = head.method.decode()
            headers = Headers(
                (name.decode(), value.decode("latin-1")) for name, value in head.headers
            )
            target = head.target.decode("latin-1")
            yield Request(self._method, self._url(base, target, headers), headers, body)
            if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
                return
            self._h11.start_next_cycle()

    def _url(self, base: str, target: str, headers: Headers) -> str:
        if self._method == "CONNECT" or "://" in target.partition("?")[0]:
            return target
        return (base or f"http://{headers.get('host', 'localhost')}") + target

    async def _body(self) -> bytes:
        parts = []
        if self._h11.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        while True:
            event = await self._event()
            if isinstance(event, h11.Data):
                parts.append(bytes(event.data))
            else:
                return b"".join(parts)

    async def _event(self) -> Any:
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            self._h11.receive_data(await self._reader.read(_CHUNK))
        return event

    async def respond(self, response: Response) -> None:
        """Send the response to the last request."""
        headers = [(name, value) for name, value in response.headers.items()]
        tunnel = self._method == "CONNECT" and response.status == 200
        bodiless = tunnel or self._method == "HEAD" or response.status in (204, 304)
        if not bodiless and "content-length" not in response.headers:
            headers.append(("Content-Length", str(len(response.body))))
        reason = client.responses.get(response.status, "")
        await self._send(h11.Response(status_code=response.status, headers=headers, reason=reason))
        if not bodiless and response.body:
            await self._send(h11.Data(data=response.body))
        if not tunnel:
            await self._send(h11.EndOfMessage())

    async def _send(self, event: Any) -> None:
        self._writer.write(self._h11.send(event) or b"")
        await self._writer.drain()
