"""A leak, from the red button to the proof, on the real service."""

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


async def test_a_leaked_key_is_revoked_and_the_proof_is_seen(running: Site, visit: Visit) -> None:
    leaked = running.azure.secret(VAULT, "chat-key").current.value
    page = await visit(running.page)
    await page.locator(f"[data-id='{VAULT}/chat-key']").press("Enter")
    await page.get_by_role("button", name="Key leaked…").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("Key1").check()
    await dialog.get_by_role("button", name="Show what will happen").click()
    await expect(dialog.locator(".effects")).to_have_count(0)  # a reason is required
    await dialog.get_by_label("Why?").fill("pasted into a public chat")
    await dialog.get_by_role("button", name="Show what will happen").click()
    await expect(dialog.locator(".effects")).to_contain_text("which revokes it everywhere at once")
    assert running.azure.accounts.accepted(leaked), "nothing has happened yet"
    await dialog.get_by_role("button", name="Revoke it now").click()
    await expect(dialog.locator(".verdict")).to_have_text("✓ The old key is refused", timeout=LONG)
    assert running.azure.accounts.accepted(leaked) is None
    await expect(dialog.locator(".audit")).to_contain_text("ended: the old key is refused")
    assert leaked not in await page.content()
    await dialog.get_by_role("button", name="Close").click()
    await expect(page.get_by_label("History")).to_contain_text("Emergency")


async def test_a_function_key_does_not_suffice_for_everything(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await expect(page.get_by_role("button", name="Everything leaked…")).to_be_hidden()


async def test_everything_is_revoked_after_the_number_was_typed(
    tmp_path: Path, visit: Visit
) -> None:
    azure = estate()
    azure.account("vision").disable_local_auth = False
    secrets = [azure.secret(VAULT, f"{name}-key") for name in ("chat", "speech", "vision")]
    leaked = [secret.current.value for secret in secrets]
    async with site(azure, tmp_path, PLATFORM) as running:
        headers = signed_in(Role.EMERGENCY)
        page = await visit(f"{running.url}/api/dashboard", extra_http_headers=headers)
        await page.get_by_role("button", name="Everything leaked…").click()
        dialog = page.locator("dialog")
        await dialog.get_by_label("Why?").fill("the vault's log was public")
        await dialog.get_by_role("button", name="Show what will happen").click()
        await expect(dialog).to_contain_text("3 accounts with 3 secrets get new keys")
        for typed in ("", "7"):
            await dialog.get_by_label("Type 3").fill(typed)
            await dialog.get_by_role("button", name="Revoke them all now").click()
            assert all(azure.accounts.accepted(key) for key in leaked)
        await dialog.get_by_label("Type 3").fill("3")
        await dialog.get_by_role("button", name="Revoke them all now").click()
        await expect(dialog.locator(".verdict")).to_have_text("3 of 3 done", timeout=LONG)
        assert not any(azure.accounts.accepted(key) for key in leaked)


async def test_more_rotations_than_the_api_names_are_counted_to_the_last(visit: Visit) -> None:
    leak = Leak(250)
    page, _ = await played(visit, 250, leak)
    await page.get_by_role("button", name="Everything leaked…").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("Why?").fill("the vault's log was public")
    await dialog.get_by_role("button", name="Show what will happen").click()
    await dialog.get_by_label("Type 250").fill("250")
    leak.over = 200
    await dialog.get_by_role("button", name="Revoke them all now").click()
    await expect(dialog.locator(".verdict")).to_have_text("200 of 250 done")
    await expect(dialog).to_contain_text("You may close this; it goes on.")
    leak.over = 250
    await expect(dialog.locator(".verdict")).to_have_text("250 of 250 done", timeout=LONG)
    await expect(dialog).not_to_contain_text("You may close this")
    assert leak.asked[-1]["confirm"] == 250
