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
    await expect(dialog.locator(".verdict")).to_have_text("✓ The old key is refused", timeout=LONG)
    assert running.azure.accounts.accepted(leaked) is None
    await expect(dialog.locator(".audit li").last).to_contain_text("ended")
    assert leaked not in await page.content()
    await dialog.get_by_role("button", name="Close").click()
    await expect(page.get_by_label("History")).to_contain_text("Emergency")


async def test_the_dialog_speaks_of_the_leaked_key_first(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await page.locator(f"[data-id='{VAULT}/chat-key']").press("Enter")
    await page.get_by_role("button", name="Key leaked…").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("Key1").check()
    await dialog.get_by_label("Reason").fill("pasted into a public chat")
    await dialog.get_by_role("button", name="Preview").click()
    running.azure.account("chat").disable_local_auth = True
    await dialog.get_by_role("button", name="Revoke now").click()
    first = dialog.locator(".progress > :first-child")
    await expect(first).to_contain_text("NOT REVOKED: key authentication is disabled", timeout=LONG)
    await expect(first).to_contain_text("Enable it")
    await dialog.get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Abandon…").click()
    await expect(dialog).to_contain_text("Key authentication is disabled")


async def test_now_and_force_are_offered_with_an_explanation(visit: Visit) -> None:
    leak = Leak(1)
    page, fleet = await played(visit, 250, leak)
    row = next(row for row in fleet["secrets"] if row["state"] == "overlap")
    await page.get_by_role("searchbox").fill(row["secret"])
    await page.locator(f"[data-id$='/{row['secret']}']").press("Enter")
    await page.get_by_role("button", name="Key leaked…").click()
    dialog = page.locator("dialog")
    await expect(dialog.get_by_label("I do not know")).to_be_checked()
    await dialog.get_by_text("If something holds it up").click()
    await expect(dialog.get_by_text("Its consumers fail until the service")).to_be_visible()
    await expect(dialog.get_by_label("Go on although no secret can be read")).to_have_count(0)
    await dialog.get_by_label("Do not wait for any secret").check()
    await dialog.get_by_label("Revoke even if no other key works").check()
    await dialog.get_by_label("Reason").fill("pasted into a public chat")
    await dialog.get_by_role("button", name="Preview").click()
    await expect(dialog.get_by_role("button", name="Revoke now")).to_be_visible()
    assert leak.asked[-1]["leaked"] == "unknown"
    assert [leak.asked[-1].get(name) for name in ("now", "force")] == [True, True]


async def test_blind_is_offered_for_all_keys(visit: Visit) -> None:
    leak = Leak(3)
    page, _ = await played(visit, 3, leak)
    await page.get_by_role("button", name="All keys leaked…").click()
    dialog = page.locator("dialog")
    await dialog.get_by_text("If something holds it up").click()
    await dialog.get_by_label("Go on although no secret can be read").check()
    await dialog.get_by_label("Reason").fill("the vault's log was public")
    await dialog.get_by_role("button", name="Preview").click()
    await dialog.get_by_label("Type 3").fill("3")
    leak.held = "no vault can be listed"
    await dialog.get_by_role("button", name="Revoke all now").click()
    await expect(dialog.locator(".progress")).to_contain_text("NOT REVOKED: 1 of the leaked keys")
    await expect(dialog.locator(".progress")).to_contain_text("No vault can be listed. Correct it.")
    assert leak.asked[-1]["blind"] is True


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


async def test_the_page_behind_a_batch_is_read_again_once_a_key_is_not_revoked(
    visit: Visit,
) -> None:
    leak = Leak(3)
    page, _ = await played(visit, 3, leak)
    await page.get_by_role("button", name="All keys leaked…").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("Reason").fill("the vault's log was public")
    await dialog.get_by_role("button", name="Preview").click()
    await dialog.get_by_label("Type 3").fill("3")
    await dialog.get_by_role("button", name="Revoke all now").click()
    await expect(dialog.locator(".verdict")).to_have_text("0 of 3 done")
    for _ in range(2):  # polls without news
        async with page.expect_response("**/rotations?batch=b"):
            pass
    async with page.expect_request("**/api/secrets", timeout=5000):
        leak.held = "no vault can be listed"


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
