"""Every sample app follows a rotation and survives a revocation that it did not see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emulator.proxy.server import Proxy

from . import apps
from .toolchains import Sample, java, java_policy, node, python

SAMPLES = [
    python("app"),
    python("app_async"),
    node(),
    java(),
    java_policy(),
]
CALLS = 20


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Proxy]:
    async with Proxy(apps.azure(), tmp_path / "ca") as proxy:
        yield proxy


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
async def test_an_app_follows_a_rotation_before_any_call_fails(
    proxy: Proxy, sample: Sample, tmp_path: Path
) -> None:
    command, more = sample.prepared(proxy, tmp_path)
    async with apps.running(proxy, command, calls=1, every=1, **more) as app:
        first = await app.line()
        published = apps.publish(proxy.azure, "Key2")
        await app.until(published)
        proxy.azure.regenerate_by_hand(apps.ACCOUNT, "Key1")
        await app.line()
        await app.line()
        assert first.version != published
        assert app.failed == 0
        assert app.calls("inference.chat", 401) == 0


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
async def test_after_a_sudden_revocation_one_of_many_calls_reads_and_all_succeed(
    proxy: Proxy, sample: Sample, tmp_path: Path
) -> None:
    command, more = sample.prepared(proxy, tmp_path)
    async with apps.running(proxy, command, calls=CALLS, every=900, **more) as app:
        await app.line()
        reads = app.calls("keyvault.get_secret", 200)
        published = apps.publish(proxy.azure, "Key2")
        proxy.azure.regenerate_by_hand(apps.ACCOUNT, "Key1")
        await app.until(published)
        await app.line()
        assert app.failed == 0
        assert app.calls("inference.chat", 401) >= 1
        assert app.calls("keyvault.get_secret", 200) == reads + 1


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
async def test_while_no_new_version_exists_an_app_does_not_flood_the_vault(
    proxy: Proxy, sample: Sample, tmp_path: Path
) -> None:
    """The key is revoked before its successor is published; the app recovers without help."""
    command, more = sample.prepared(proxy, tmp_path)
    async with apps.running(proxy, command, calls=CALLS, every=900, **more) as app:
        await app.line()
        reads = app.calls("keyvault.get_secret", 200)
        proxy.azure.regenerate_by_hand(apps.ACCOUNT, "Key1")
        for _ in range(3):
            line = await app.line()
        assert line.failed == CALLS
        assert 1 <= app.calls("keyvault.get_secret", 200) - reads <= 3
        await app.until(apps.publish(proxy.azure, "Key2"))
        assert (await app.line()).failed == 0
