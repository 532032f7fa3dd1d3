"""Three nights on call: a locked account, a closed vault, and a report of the wrong key.

Each is played through the command line and the page, and both must show the truth within two
seconds of the service knowing it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, expect

from .conftest import Visit
from .site import VAULT, Site, estate, site

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SOON = 2000  # ms
LONG = 45  # s
SECRET = f"{VAULT}/chat-key"


async def keyrotation(running: Site, *arguments: str, given: str = "") -> tuple[int, str]:
    """Run the command against the service. Return its exit status and all that it prints."""
    environment = os.environ | {"ROTATION_URL": running.url, "ROTATION_FUNCTION_KEY": running.key}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rotation", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    output, _ = await process.communicate(given.encode())
    return process.returncode or 0, output.decode()


async def reported(running: Site, leaked: str) -> None:
    status, output = await keyrotation(
        *(running, "emergency", SECRET, "--leaked", leaked, "--reason", "INC-1", "--yes"),
        "--no-wait",
    )
    assert status == 0, output


@asynccontextmanager
async def api(running: Site) -> AsyncIterator[Callable[[str], Any]]:
    headers = {"x-functions-key": running.key}
    async with aiohttp.ClientSession(running.url, headers=headers) as client:

        async def get(path: str) -> Any:
            async with client.get(f"/api/{path}") as answer:
                return await answer.json()

        yield get


async def known(running: Site, is_known: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the newest rotation once it is as described. Nobody knows that before the service."""
    end = time.monotonic() + LONG
    async with api(running) as get:
        while time.monotonic() < end:
            found = (await get("rotations"))["rotations"]
            if found and is_known(found[0]):
                newest: dict[str, Any] = found[0]
                return newest
            await asyncio.sleep(0.05)
    raise AssertionError(found)


async def opened(page: Page) -> None:
    await page.locator(f"[data-id='{SECRET}']").press("Enter")


async def test_an_account_with_a_lock_is_never_shown_as_revoked(
    tmp_path: Path, visit: Visit
) -> None:
    azure = estate()
    azure.account("vision").disable_local_auth = False
    async with site(azure, tmp_path) as running:
        page = await visit(running.page)
        await opened(page)
        leaked = azure.secret(VAULT, "chat-key").current.value
        azure.lock(azure.account("chat").id)
        await reported(running, "key1")
        await known(running, lambda found: "notRevoked" in found)
        in_progress = page.get_by_label("In progress")
        await expect(in_progress).to_contain_text("NOT REVOKED", timeout=SOON)
        await expect(in_progress).to_contain_text("lock")
        await page.locator("#refresh").click()
        await expect(page.get_by_role("heading", level=2).first).to_have_text(
            "Rotation is failing", timeout=SOON
        )
        status, output = await keyrotation(running, "status")
        assert status == 2, output
        assert "NOT REVOKED" in output
        assert "lock" in output
        assert azure.accounts.accepted(leaked), "the truth: it still works"
        azure.arm.locks.clear()
        await known(running, lambda found: found.get("revoked") is True)
        await expect(page.get_by_label("History")).to_contain_text("refused", timeout=SOON)
        assert azure.accounts.accepted(leaked) is None


async def test_a_secret_in_a_closed_vault_is_unknown_not_healthy(
    tmp_path: Path, visit: Visit
) -> None:
    azure = estate()
    async with site(azure, tmp_path) as running:
        page = await visit(running.page)
        await opened(page)
        azure.vault(VAULT).public_network = False
        await reported(running, "key1")
        async with api(running) as get:
            end = time.monotonic() + 2
            states: set[str] = set()
            while time.monotonic() < end and not states & {"failing", "unknown"}:
                rows = (await get("secrets"))["secrets"]
                states = {row["state"] for row in rows if row["secret"] == "chat-key"}
        assert states & {"failing", "unknown"}, states
        await page.locator("#refresh").click()
        await expect(page.locator(".panel .state")).to_have_text("unknown", timeout=SOON)
        status, output = await keyrotation(running, "status")
        assert status in (1, 2), output
        assert "healthy" not in output


async def test_a_report_of_the_wrong_key_leaves_the_right_one_to_be_found(
    tmp_path: Path, visit: Visit
) -> None:
    azure = estate()
    async with site(azure, tmp_path) as running:
        page = await visit(running.page)
        await opened(page)
        found_key = azure.secret(VAULT, "chat-key").current.value
        await reported(running, "key2")
        await known(running, lambda found: found.get("revoked") is True)
        assert azure.accounts.accepted(found_key), "the other key was reported"
        await expect(page.get_by_label("History")).to_contain_text("Key2", timeout=SOON)
        status, output = await keyrotation(running, "identify", given=found_key)
        assert status == 0, output
        assert "--leaked key1" in output
        await reported(running, "key1")
        await known(
            running, lambda found: found.get("revoked") is True and "key1" in found["leaked"]
        )
        await expect(page.locator(".panel .slot")).to_have_text("Key2", timeout=SOON)
        assert azure.accounts.accepted(found_key) is None
        assert found_key not in await page.content() + output
