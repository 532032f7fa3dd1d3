"""The next worker finishes the rotation of one that was killed at the worst moment."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.demo.app import function_app
from emulator.proxy.server import Proxy

SECRET = ("kv-demo", "ai-key")


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Proxy]:
    azure = Azure()
    account = azure.add_account("aoai-demo")
    vault, rotation = azure.add_vault("kv-demo"), azure.add_principal("rotation")
    rotation.assign("Key rotator", account.id).assign("Secret publisher", vault.id)
    azure.add_secret(
        *SECRET,
        publishes=("aoai-demo", "Key1"),
        tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
        expires=azure.clock.now() + timedelta(days=80),
    )
    async with Proxy(azure, tmp_path) as proxy:
        yield proxy


async def until(what: str, done: Callable[[], bool], seconds: float = 40) -> None:
    for _ in range(int(seconds / 0.02)):
        if done():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"this did not happen within {seconds} s: {what}")


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", ["arm.regenerate_key", "keyvault.set_secret"])
async def test_after_a_kill_the_next_worker_finishes_the_rotation(
    proxy: Proxy, tmp_path: Path, killed_at: str
) -> None:
    azure = proxy.azure
    first = azure.secret(*SECRET).current.value
    azure.faults.add(Fault("delay", killed_at, seconds=2))
    settings = {"ROTATION_OVERLAP": "PT2S", "ROTATION_SETTLE": "PT4S"}
    async with function_app(proxy, tmp_path, settings) as host:
        await _ask(host["url"], host["function_key"])
        await until("the call is made", lambda: any(c.operation == killed_at for c in azure.calls))
        os.kill(host["pid"], signal.SIGKILL)
    assert azure.accounts.accepted(first), "the published key works"
    async with function_app(proxy, tmp_path, settings):
        await until("the old key is revoked", lambda: azure.accounts.accepted(first) is None)
        await until(
            "the old version is disabled", lambda: not azure.secret(*SECRET).versions[0].enabled
        )
    current = azure.secret(*SECRET).current.value
    assert azure.accounts.accepted(current)
    regenerated = [c for c in azure.calls if c.operation == "arm.regenerate_key"]
    assert len(regenerated) <= 3
    assert len(azure.secret(*SECRET).versions) == 2


async def _ask(url: str, key: str) -> None:
    body = {"vault": "kv-demo", "secret": "ai-key", "reason": "a test"}
    async with (
        aiohttp.ClientSession(headers={"x-functions-key": key}) as session,
        session.post(f"{url}/api/rotations", json=body) as answer,
    ):
        assert answer.status == 202
