"""The whole app on the emulator's storage, signed in by its identity: each role is needed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from emulator import seed
from emulator.azure import Azure
from emulator.demo.app import function_app
from emulator.proxy.server import Proxy

BLOBS, QUEUES = "Storage Blob Data Contributor", "Storage Queue Data Contributor"
SETTINGS = {"AzureWebJobsStorage__accountName": "stdemo", "ROTATION_SCHEDULE": "* * * * * *"}


def playground(*roles: str) -> Azure:
    azure = Azure()
    seed.plant(azure, seed.PLAYGROUND)
    for secret in azure.vault("kv-demo").secrets.values():
        secret.current.exp = int((azure.clock.now() + timedelta(days=1)).timestamp())
    account = azure.add_storage("stdemo")
    for role in roles:
        azure.identity.principals[0].assign(role, account.id)
    return azure


def is_rotated(azure: Azure) -> bool:
    secrets = azure.vault("kv-demo").secrets.values()
    return any(len(secret.versions) > 1 for secret in secrets)


async def run(azure: Azure, directory: Path, seconds: float) -> bool:
    """Run the app until a key is published; return whether that happened in time."""
    async with Proxy(azure, directory / "ca") as proxy, function_app(proxy, directory, SETTINGS):
        for _ in range(int(seconds * 5)):
            if is_rotated(azure):
                return True
            await asyncio.sleep(0.2)
    return False


async def test_with_its_roles_the_app_keeps_its_journal_and_works_through_its_queue(
    tmp_path: Path,
) -> None:
    azure = playground(BLOBS, QUEUES)
    assert await run(azure, tmp_path, 40)
    account = azure.storage.accounts["stdemo"]
    assert "rotation-work" in account.queues.queues
    assert any(
        name.startswith("accounts/") for name in account.blobs.containers["rotation-journal"]
    )


@pytest.mark.parametrize(("granted", "missing"), [(QUEUES, BLOBS)])
async def test_without_a_role_nothing_is_rotated_and_the_log_names_it(
    granted: str, missing: str, tmp_path: Path
) -> None:
    assert not await run(playground(granted), tmp_path, 8)
    assert missing in (tmp_path / "host.log").read_text()
