"""The panel of a secret shows who read it last."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from azure.keyvault.secrets.aio import SecretClient
from playwright.async_api import expect

from emulator.azure import Azure
from emulator.core.identity import Principal
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport

from .conftest import Visit
from .site import VAULT, estate, site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def read(azure: Azure, app: Principal) -> None:
    url, credential = azure.vault(VAULT).url, AsyncCredential(azure, app)
    async with SecretClient(url, credential, transport=AsyncEmulatorTransport(azure)) as client:
        await client.get_secret("chat-key")


async def test_a_reader_of_an_older_version_is_told_from_one_of_the_latest(
    tmp_path: Path, visit: Visit
) -> None:
    azure = estate()
    service = azure.identity.principals[0]
    service.assign("Log Analytics Data Reader", "/workspaces/w-1")
    azure.logs.delay = timedelta()
    old, new = (
        azure.add_principal(name).assign("Key Vault Secrets User", azure.vault(VAULT).id)
        for name in ("old", "new")
    )
    old.resource_id = "/…/sites/shop"
    await read(azure, old)
    first = azure.secret(VAULT, "chat-key").current
    first.created -= timedelta(minutes=1)
    expires = azure.clock.now() + timedelta(days=80)
    azure.add_secret(
        VAULT, "chat-key", publishes=("chat", "Key1"), tags=first.tags, expires=expires
    )
    settings = {
        "ROTATION_LOGS_WORKSPACE": "w-1",
        "ROTATION_EVIDENCE_IGNORE": service.object_id,
    }
    async with site(azure, tmp_path, settings) as running:
        await read(azure, new)
        page = await visit(running.page)
        await page.locator(f"[data-id='{VAULT}/chat-key']").click()
        await page.get_by_text("Last readers").click()
        readers = page.get_by_label("Last readers", exact=True)
        await expect(readers.locator("dd")).to_have_text(
            [
                f"The latest versionby {new.object_id}",
                f"An older versionby {old.object_id}/…/sites/shop",
            ]
        )
        assert service.object_id not in await readers.inner_text()
