"""Asks a consumer which key it uses, by HTTPS at an address of the operator's setting.

A consumer is outside: follow no redirects, connect to public addresses only, read little, wait
briefly. Its answer is never repeated.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from azure.core import AsyncPipelineClient
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline import policies
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from ..domain.consumers import Consumer
from ..domain.errors import Transient
from .pipeline import CONNECT_SECONDS, TransportFactory

SECONDS, MOST_BYTES = 5, 4096

NONCE, SECRET = "Rotation-Nonce", "Rotation-Secret"

# Azure's platform answers here, in every virtual network: see "What is IP address 168.63.129.16".
_PLATFORM = ipaddress.ip_address("168.63.129.16")

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PublicAddresses(AbstractResolver):
    """Resolves names to public addresses only: a name server may say something else."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        public = [one for one in found if _is_public(one["host"])]
        if not public:
            raise OSError("the name has no public address")
        return public

    async def close(self) -> None:
        await self._resolver.close()


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    within = (found, *_embedded(found))
    return all(one.is_global and not one.is_multicast and one != _PLATFORM for one in within)


def _embedded(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address stands for."""
    if isinstance(found, ipaddress.IPv4Address):
        return []
    nat64 = ipaddress.IPv4Address(found.packed[-4:]) if found in _NAT64 else None
    return [one for one in (found.ipv4_mapped, found.sixtofour, nat64) if one]


class PublicTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it lazily
    """A transport to public addresses, without a proxy, which would resolve names itself."""

    session: aiohttp.ClientSession | None

    async def open(self) -> None:
        if self.session is None:
            connector = aiohttp.TCPConnector(
                resolver=PublicAddresses(aiohttp.DefaultResolver()), use_dns_cache=False
            )
            jar = aiohttp.DummyCookieJar()
            self.session = aiohttp.ClientSession(
                connector=connector, cookie_jar=jar, auto_decompress=False, trust_env=False
            )
        await super().open()


class ConsumerHealth:
    """Sends a nonce and the secret's name by GET, and a token if there is an audience."""

    def __init__(
        self, credential: AsyncTokenCredential, transport: TransportFactory | None = None
    ) -> None:
        self._credential = credential
        self._transport = transport or _public_transport
        self._client: AsyncPipelineClient[Any, Any] | None = None

    async def ask(self, consumer: Consumer, secret: str, nonce: str) -> Mapping[str, object]:
        """Return the JSON object of the answer. Raises Transient, which does not quote it."""
        headers = {NONCE: nonce, SECRET: secret, "Accept-Encoding": "identity"}
        try:
            async with asyncio.timeout(SECONDS):
                if consumer.audience:
                    token = await self._credential.get_token(f"{consumer.audience}/.default")
                    headers["Authorization"] = f"Bearer {token.token}"
                return await self._send(HttpRequest("GET", consumer.url or "", headers=headers))
        except (AzureError, OSError):
            raise _unusable("it cannot be reached, or no token was issued for it") from None

    async def _send(self, request: HttpRequest) -> Mapping[str, object]:
        response: AsyncHttpResponse = await self._pipeline().send_request(request, stream=True)
        async with response:
            if response.status_code != 200:
                raise _unusable(f"it answered {response.status_code}")
            return _object(await _body(response))

    def _pipeline(self) -> AsyncPipelineClient[Any, Any]:
        if self._client is None:
            chain = [policies.UserAgentPolicy(sdk_moniker="azure-ai-key-rotation")]
            self._client = AsyncPipelineClient(
                base_url="", policies=chain, transport=self._transport()
            )
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def _public_transport() -> PublicTransport:
    return PublicTransport(connection_timeout=CONNECT_SECONDS, read_timeout=SECONDS)


async def _body(response: AsyncHttpResponse) -> bytes:
    body = b""
    async for part in response.iter_raw():
        body += part
        if len(body) > MOST_BYTES:
            raise _unusable(f"its answer is longer than {MOST_BYTES} bytes")
    return body


def _object(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _unusable("its answer is not a JSON object")
    return found


def _unusable(why: str) -> Transient:
    return Transient(why, code="Unreachable")
