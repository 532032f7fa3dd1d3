"""All samples call one account while the function app rotates its keys and revokes a leaked one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulator.azure import Azure
from emulator.demo.app import function_app
from emulator.proxy.server import Proxy

from . import apps
from .toolchains import Sample, java, java_policy, node, python

SAMPLES = (python("app"), python("app_async"), node(), java(), java_policy())
SETTINGS = {"ROTATION_SCHEDULE": "* * * * * *", "ROTATION_OVERLAP": "PT10S"}
EVERY = 3.0  # seconds: a third of the overlap
SECONDS = 90


def estate() -> Azure:
    """Return an Azure whose secret is enrolled, and the identity of the service."""
    azure = apps.azure()
    account = azure.account(apps.ACCOUNT)
    current = azure.secret(apps.VAULT, apps.SECRET).current
    current.tags = {"ProviderAddress": account.id, "ValidityPeriodDays": "90"}
    service = azure.add_principal("rotation").assign("Key rotator", account.id)
    service.assign("Secret publisher", azure.vault(apps.VAULT).id)
    return azure


class Service:
    """The HTTP API of the running function app."""

    def __init__(self, host: dict[str, Any]) -> None:
        self._url, self._headers = host["url"], {"x-functions-key": host["function_key"]}

    async def rotated(self, **body: str) -> dict[str, Any]:
        """Request a rotation of the secret; return it once it has ended."""
        body |= {"vault": apps.VAULT, "secret": apps.SECRET, "reason": "a test of the samples"}
        async with aiohttp.ClientSession(self._url, headers=self._headers) as session:
            async with session.post("/api/rotations", json=body) as answer:
                assert answer.status == 202, await answer.text()
                place = answer.headers["Location"]
            for _ in range(SECONDS):
                async with session.get(place) as answer:
                    found: dict[str, Any] = await answer.json()
                if found["state"] == "ended":
                    return found
                await asyncio.sleep(1)
        raise AssertionError(found)


@asynccontextmanager
async def calling(proxy: Proxy, samples: list[Sample], directory: Path) -> AsyncIterator[Any]:
    """Run the samples until the end of the block, and read what they print; yield them by name."""
    async with AsyncExitStack() as stack:
        found: dict[str, apps.App] = {}
        for sample in samples:
            place = directory / sample.name
            place.mkdir()
            command, more = sample.prepared(proxy, place)
            started = apps.running(proxy, command, calls=1, every=EVERY, **more)
            found[sample.name] = await stack.enter_async_context(started)
        for app in found.values():
            await app.line()
        readers = [asyncio.create_task(_read(app)) for app in found.values()]
        try:
            yield found
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)


async def _read(app: apps.App) -> None:
    while True:
        await app.line()


@pytest.mark.slow
async def test_no_call_fails_in_a_rotation_nor_in_an_emergency(tmp_path: Path) -> None:
    azure = estate()
    async with Proxy(azure, tmp_path / "ca") as proxy, AsyncExitStack() as stack:
        running = await stack.enter_async_context(calling(proxy, list(SAMPLES), tmp_path))
        host = await stack.enter_async_context(function_app(proxy, tmp_path, SETTINGS))
        service = Service(host)
        before = azure.secret(apps.VAULT, apps.SECRET).current
        ended = await service.rotated()
        assert ended["outcome"] == "the old key is refused"
        assert azure.accounts.accepted(before.value) is None
        calm = {name: len(app.lines) for name, app in running.items()}
        rotated = azure.secret(apps.VAULT, apps.SECRET).current
        await service.rotated(leaked="key2")
        assert azure.accounts.accepted(rotated.value) is None
        await asyncio.sleep(3)
        latest = azure.secret(apps.VAULT, apps.SECRET).current.id
        for name, app in running.items():
            used = {line.version for line in app.lines}
            assert used >= {before.id, rotated.id, latest}, name
            assert app.lines[-1].version == latest, name
            assert calm[name] > 10, name
            assert app.failed == 0, (name, app.lines)
