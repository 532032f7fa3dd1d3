"""Apps that use the secret: each reads it by name, caches it, and calls the AI endpoint.

If a key is refused, an app reads the secret again, as every app should. If that key is refused
as well, the request has failed.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport
from azure.keyvault.secrets.aio import SecretClient

from ..proxy.server import Proxy
from ..sdk.transport import AsyncCredential

PATH = "/openai/deployments/demo/chat/completions?api-version=2024-10-21"
BODY = {"messages": [{"role": "user", "content": "hello"}]}


@dataclass
class Tally:
    """Counts of the consumers' requests; ``outage`` counts failures after the manual change."""

    requests: int = 0
    failed: int = 0
    outage: int = 0
    read_again: int = 0
    in_outage: bool = False
    last_failure: float = 0.0
    per_app: dict[str, str] = field(default_factory=dict)


@dataclass
class Consumer:
    """One app, which caches the secret for ``keeps`` seconds."""

    name: str
    proxy: Proxy
    credential: AsyncCredential
    vault: str
    secret: str
    endpoint: str
    keeps: float
    tally: Tally
    _key: str = ""
    _read_at: float = 0.0

    async def run(self) -> None:
        """Call until cancelled."""
        context = ssl.create_default_context(cafile=str(self.proxy.bundle))
        async with aiohttp.ClientSession() as session:
            transport = AioHttpTransport(
                connection_verify=str(self.proxy.bundle), use_env_settings=False
            )
            client = SecretClient(
                self.vault,
                self.credential,
                transport=transport,
                proxies={"https": self.proxy.url},
            )
            async with client:
                while True:
                    await self._request(client, session, context)
                    await asyncio.sleep(0.04)

    async def _request(
        self, client: SecretClient, session: aiohttp.ClientSession, context: ssl.SSLContext
    ) -> None:
        if time.monotonic() - self._read_at > self.keeps:
            await self._read(client)
        accepted = await self._call(session, context)
        if not accepted:
            self.tally.read_again += 1
            await self._read(client)
            accepted = await self._call(session, context)
        self._count(accepted)

    async def _read(self, client: SecretClient) -> None:
        self._key = (await client.get_secret(self.secret)).value or ""
        self._read_at = time.monotonic()

    async def _call(self, session: aiohttp.ClientSession, context: ssl.SSLContext) -> bool:
        options: dict[str, Any] = {"proxy": self.proxy.url, "ssl": context}
        headers = {"api-key": self._key}
        url = self.endpoint.rstrip("/") + PATH
        async with session.post(url, json=BODY, headers=headers, **options) as response:
            await response.read()
            return response.status == 200

    def _count(self, accepted: bool) -> None:
        tally = self.tally
        tally.requests += 1
        tally.per_app[self.name] = "ok" if accepted else "refused"
        if accepted:
            return
        tally.last_failure = time.monotonic()
        if tally.in_outage:
            tally.outage += 1
        else:
            tally.failed += 1
