"""Emergencies on the real service, from the red button to the proof."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from rotation.domain.access import Role

from .conftest import Visit
from .leak import Leak
from .played import played
from .site import PLATFORM, VAULT, Site, estate, signed_in, site

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LONG = 45_000  # ms


async def test_a_leaked_key_is_revoked_and_the_proof_is_shown(running: Site, visit: Visit) -> None:
    leaked = running.azure.secret(VAULT, "chat-key").current.value
    page = await visit(running.page)
    await page.locator(f"[data-id='{VAULT}/chat-key']").press("Enter")
    await page.get_by_role("button", name="Key leaked…").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("Key1").check()
    await dialog.get_by_role("button", name="Preview").click()
    await expect(dialog.locator(".effects")).to_have_count(0)  # a reason is required
    await dialog.get_by_label("Reason").fill("pasted into a public chat")
    await dialog.get_by_role("button", name="Preview").click()
    await expect(dialog.locator(".effects li").first).to_be_visible()
    assert running.azure.accounts.accepted(leaked), "nothing has happened yet"
    await dialog.get_by_role("button", name="Revoke now").click()
    await expect(dialog.locator(".verdict")).to_have_text("✓ The old key is rejected", timeout=LONG)
    assert running.azure.accounts.accepted(leaked) is None
    await expect(dialog.locator(".audit li").last).to_contain_text("ended")
    assert leaked not in await page.content()
    await dialog.get_by_role("button", name="Close").click()
    await expect(page.get_by_label("History")).to_contain_text("Emergency")


async def test_a_function_key_cannot_rotate_everything(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await expect(page.get_by_role("button", name="All keys leaked…")).to_be_hidden()


async def test_all_keys_are_revoked_once_the_number_of_accounts_is_typed(
    tmp_path: Path, visit: Visit
) -> None:
    azure = estate()
    azure.account("vision").disable_local_auth = False
    secrets = [azure.secret(VAULT, f"{name}-key") for name in ("chat", "speech", "vision")]
    leaked = [secret.current.value for secret in secrets]
    async with site(azure, tmp_path, PLATFORM) as running:
        headers = signed_in(Role.EMERGENCY)
        page = await visit(f"{running.url}/api/dashboard", extra_http_headers=headers)
        await page.get_by_role("button", name="All keys leaked…").click()
        dialog = page.locator("dialog")
        await dialog.get_by_label("Reason").fill("the vault's log was public")
        await dialog.get_by_role("button", name="Preview").click()
        await expect(dialog).to_contain_text("3 accounts with 3 secrets get new keys")
        for typed in ("", "7"):
            await dialog.get_by_label("Type 3").fill(typed)
            await dialog.get_by_role("button", name="Revoke all now").click()
            assert all(azure.accounts.accepted(key) for key in leaked)
        await dialog.get_by_label("Type 3").fill("3")
        await dialog.get_by_role("button", name="Revoke all now").click()
        await expect(dialog.locator(".verdict")).to_have_text("3 of 3 done", timeout=LONG)
        assert not any(azure.accounts.accepted(key) for key in leaked)


async def test_all_rotations_are_counted_even_if_the_api_lists_only_some(visit: Visit) -> None:
    leak = Leak(250)
    page, _ = await played(visit, 250, leak)
    await page.get_by_role("button", name="All keys leaked…").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("Reason").fill("the vault's log was public")
    await dialog.get_by_role("button", name="Preview").click()
    await dialog.get_by_label("Type 250").fill("250")
    leak.over = 200
    await dialog.get_by_role("button", name="Revoke all now").click()
    await expect(dialog.locator(".verdict")).to_have_text("200 of 250 done")
    await expect(dialog).to_contain_text("You can close this dialog; the operation continues.")
    leak.over = 250
    await expect(dialog.locator(".verdict")).to_have_text("250 of 250 done", timeout=LONG)
    await expect(dialog).not_to_contain_text("You can close this dialog")
    assert leak.asked[-1]["confirm"] == 250
