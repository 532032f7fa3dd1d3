"""An HTTPS proxy to the emulator: any client in any process, under Azure's real names.

Clients find it by ``HTTPS_PROXY`` and trust its throw-away CA. TLS ends here; the proxy refuses
unknown hosts, and no request reaches a network. Requests in origin form are for the managed
identity endpoint and for the control API below ``/_emulator/``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Any

import h11
import trustme

from ..azure import Azure, UnknownHost
from ..core.wire import Dropped, Headers, Request, Response
from .control import Control
from .http import Connection


class Proxy:
    """``async with Proxy(azure, directory) as proxy: proxy.environment``."""

    def __init__(self, azure: Azure, directory: Path, port: int = 0) -> None:
        self.azure = azure
        self.control = Control(azure)
        self.bundle = directory / "ca.pem"
        self._port = port
        self._ca = trustme.CA(organization_name="emulated Azure")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Proxy:
        self.bundle.parent.mkdir(parents=True, exist_ok=True)
        self._ca.cert_pem.write_to_path(str(self.bundle))
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *args: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for a client's process."""
        bundle = str(self.bundle)
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        return {
            "HTTPS_PROXY": self.url,
            "https_proxy": self.url,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            **dict.fromkeys(names, bundle),
            "IDENTITY_ENDPOINT": f"{self.url}/msi/token",
            "IDENTITY_HEADER": self.azure.identity.header,
        }

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(reader, writer, "")
        except (OSError, ssl.SSLError, h11.RemoteProtocolError, Dropped):
            pass  # the client has gone, or a fault drops the connection
        except asyncio.CancelledError:
            pass  # the proxy stops
        finally:
            self._open.discard(task)
            writer.transport.abort()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, base: str
    ) -> None:
        """Serve one connection; ``base`` is the origin inside a tunnel."""
        http = Connection(reader, writer)
        async for request in http.requests(base):
            if request.method == "CONNECT":
                await self._tunnel(request, http, reader, writer)
                return
            await http.respond(await self._respond(request))

    async def _tunnel(
        self,
        request: Request,
        http: Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        host, _, port = request.url.rpartition(":")
        if not self.azure.knows(f"https://{host}/"):
            text = f"the emulator has no host {host}\n".encode()
            await http.respond(Response(502, Headers({"Content-Type": "text/plain"}), text))
            return
        await http.respond(Response(200))
        await writer.start_tls(self._context(host))
        await self._serve(reader, writer, f"https://{host}" + (f":{port}" if port != "443" else ""))

    async def _respond(self, request: Request) -> Response:
        if request.path.startswith("/_emulator/"):
            return await self.control.handle(request)
        try:
            delay = self.azure.delay_of(request)
            response = self.azure.handle(request)
        except UnknownHost as exc:
            return Response(502, body=f"the emulator has no host {exc}\n".encode())
        if delay:
            await asyncio.sleep(delay.total_seconds())
        return response

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.set_alpn_protocols(["http/1.1"])
            self._ca.issue_cert(host).configure_cert(context)
            self._contexts[host] = context
        return self._contexts[host]
