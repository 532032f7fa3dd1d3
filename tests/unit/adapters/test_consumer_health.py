"""Asking a consumer: where a request may go, and what is read of the answer."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from azure.core.pipeline.transport import AioHttpTransport

from emulator.azure import virtual
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.consumer_health import (
    SECONDS,
    ConsumerHealth,
    PublicAddresses,
    PublicTransport,
    _public_transport,
)
from rotation.adapters.pipeline import CONNECT_SECONDS
from rotation.domain.bindings import Place
from rotation.domain.consumers import Consumer
from rotation.domain.errors import Transient

PLACE = Place("https://kv-a.vault.azure.net")


class Names(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in self.addresses
        ]

    async def close(self) -> None:
        """Nothing to close."""


PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("168.63.129.16", "0.0.0.0", "224.0.0.1", "::1", "fe80::1%eth0", "fd00::1"),
    *("::ffff:10.0.0.1", "2002:a00:1::1", "64:ff9b::a00:1"),
)


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_with_a_private_address_only_is_not_connected_to(address: str) -> None:
    with pytest.raises(OSError, match="no public address"):
        await PublicAddresses(Names(address)).resolve("shop.contoso.com", 443)


async def test_only_the_public_addresses_of_a_name_are_used() -> None:
    found = await PublicAddresses(Names("10.0.0.1", "20.1.2.3")).resolve("shop.contoso.com", 443)
    assert [one["host"] for one in found] == ["20.1.2.3"]


@pytest.mark.parametrize("address", ["2a00:1450::1", "64:ff9b::1401:203", "2002:1401:203::1"])
async def test_a_public_address_may_be_of_version_6_and_stand_for_one_of_version_4(
    address: str,
) -> None:
    found = await PublicAddresses(Names(address)).resolve("shop.contoso.com", 443)
    assert [one["host"] for one in found] == [address]


async def test_names_and_connections_are_closed() -> None:
    closed: list[str] = []

    class Closing(Names):
        async def close(self) -> None:
            closed.append("names")

    await PublicAddresses(Closing()).close()
    azure = virtual()
    transport = AsyncEmulatorTransport(azure)

    async def close() -> None:
        closed.append("transport")

    transport.close = close  # type: ignore[method-assign]
    principal = azure.add_principal("rotation")
    health = ConsumerHealth(AsyncCredential(azure, principal), lambda: transport)
    await health.close()
    assert closed == ["names"], "nothing was opened"
    with pytest.raises(Transient):
        await health.ask(Consumer("shop", PLACE, url="https://shop.example/key"), "ai-key", "n")
    await health.close()
    assert closed == ["names", "transport"]


async def test_the_transport_has_short_timeouts() -> None:
    config = _public_transport().connection_config
    assert (config.timeout, config.read_timeout) == (CONNECT_SECONDS, SECONDS)


async def test_the_transport_resolves_names_and_uses_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    transport = PublicTransport()
    await transport.open()
    assert transport.session is not None
    assert not transport.session.trust_env
    assert not transport.session.auto_decompress
    assert isinstance(transport.session.cookie_jar, aiohttp.DummyCookieJar)
    connector = transport.session.connector
    assert isinstance(connector, aiohttp.TCPConnector)
    assert isinstance(connector._resolver, PublicAddresses)
    await transport.close()


async def test_the_real_transport_refuses_a_name_of_this_machine() -> None:
    azure = virtual()
    health = ConsumerHealth(AsyncCredential(azure, azure.add_principal("rotation")))
    consumer = Consumer("shop", PLACE, url="https://localhost/key")
    with pytest.raises(Transient, match="cannot be reached"):
        await health.ask(consumer, "ai-key", "n")
    await health.close()


Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def served() -> Iterator[Callable[[Answer], str]]:
    """Serve one kind of answer, and return its URL."""
    running: list[ThreadingHTTPServer] = []

    def serve(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}/key"

    yield serve
    for server in running:
        server.shutdown()
        server.server_close()


def sending(status: int, body: bytes, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, text in headers.items():
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


async def asked(url: str, audience: str | None = None) -> object:
    azure = virtual()
    credential = AsyncCredential(azure, azure.add_principal("rotation"))
    health = ConsumerHealth(credential, AioHttpTransport)
    try:
        return await health.ask(Consumer("shop", PLACE, url=url, audience=audience), "ai-key", "n")
    finally:
        await health.close()


async def test_the_request_has_the_secret_the_nonce_and_a_token_for_the_audience_only(
    served: Callable[[Answer], str],
) -> None:
    seen: list[dict[str, str]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(dict(handler.headers.items()))
        sending(200, b'{"version": "v2"}')(handler)

    url = served(answer)
    assert await asked(url) == {"version": "v2"}
    await asked(url, "api://shop")
    assert (seen[0]["Rotation-Secret"], seen[0]["Rotation-Nonce"]) == ("ai-key", "n")
    assert "Authorization" not in seen[0]
    assert seen[1]["Authorization"].startswith("Bearer ")


async def test_an_answer_of_4096_bytes_is_read(served: Callable[[Answer], str]) -> None:
    body = b'{"version": "v2"}'.ljust(4096)
    assert await asked(served(sending(200, body))) == {"version": "v2"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (sending(302, b"", Location="/key"), "it answered 302"),
        (sending(500, b'{"version": "v2"}'), "it answered 500"),
        (sending(200, b'{"version": "' + b"v" * 4082 + b'"}'), "longer than 4096 bytes"),
        (sending(200, b"secret words"), "not a JSON object"),
        (sending(200, b'["secret words"]'), "not a JSON object"),
        (sending(200, b"[" * 4000), "not a JSON object"),
        (sending(200, b"\xff\xfe"), "not a JSON object"),
    ],
)
async def test_other_answers_confirm_nothing_and_are_not_repeated(
    served: Callable[[Answer], str], answer: Answer, says: str
) -> None:
    with pytest.raises(Transient, match=says) as refused:
        await asked(served(answer))
    assert "secret words" not in str(refused.value)


async def test_an_answer_that_takes_too_long_is_given_up(
    served: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotation.adapters.consumer_health.SECONDS", 0.2)
    done = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        done.wait(5)

    url = served(answer)
    started = asyncio.get_running_loop().time()
    with pytest.raises(Transient, match="cannot be reached"):
        await asked(url)
    done.set()
    assert asyncio.get_running_loop().time() - started < 2
