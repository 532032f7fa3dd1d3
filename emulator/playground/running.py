"""Starts the emulated Azure behind its proxy, and the function app in another process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from ..azure import Azure
from ..demo.app import function_app
from ..demo.events import subscribe
from ..proxy.server import Proxy

# Long enough to see that both keys work, short enough to wait for the end.
SETTINGS = {"ROTATION_OVERLAP": "PT15S"}
# The first sweep takes five seconds. Without it, every command warns that no sweep has run.
SWEEP_POLLS, POLL_SECONDS = 100, 0.2


@asynccontextmanager
async def running(azure: Azure, directory: Path) -> AsyncIterator[tuple[Proxy, dict[str, Any]]]:
    """Start everything; yield the proxy and what the function app's host prints."""
    async with (
        Proxy(azure, directory) as proxy,
        function_app(proxy, directory, SETTINGS) as host,
    ):
        for vault in azure.keyvault.vaults.values():
            await subscribe(azure, proxy, host, vault.name)
        deliveries = asyncio.create_task(proxy.control.deliverer.run())
        try:
            await _first_sweep(host["url"])
            yield proxy, host
        finally:
            deliveries.cancel()
            await asyncio.gather(deliveries, return_exceptions=True)


async def _first_sweep(url: str) -> None:
    """Wait for the first sweep; not for ever, because a seed may prevent it."""
    async with aiohttp.ClientSession() as session:
        for _ in range(SWEEP_POLLS):
            async with session.get(f"{url}/api/health") as answer:
                if (await answer.json()).get("lastSweepAgeSeconds") is not None:
                    return
            await asyncio.sleep(POLL_SECONDS)
