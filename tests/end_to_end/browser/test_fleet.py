"""Looking at the fleet, and what an operator does with it, on the real service."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from rotation.domain.access import Role

from .conftest import Visit
from .site import PLATFORM, VAULT, Site, estate, signed_in, site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def opened(page: Page, name: str) -> None:
    await page.locator(f"[data-id='{VAULT}/{name}']").click()


async def confirm(page: Page, button: str, reason: str) -> None:
    """Say why, and press the last button."""
    await page.get_by_label("Why?").fill(reason)
    await page.locator("dialog").get_by_role("button", name=button, exact=True).click()


async def test_the_fleet_is_seen_with_what_stands_beside_it(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await expect(page.get_by_role("heading", level=2)).to_have_text("One secret needs you")
    rows = page.locator("[data-id]")
    await expect(rows).to_have_count(5)
    states = [await rows.nth(i).locator(".state").inner_text() for i in range(5)]
    assert states == ["refused", "healthy", "healthy", "unmanaged", "unmanaged"]
    await page.get_by_role("button", name="unmanaged").click()
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("no secret is enrolled for it")
    await expect(rows.last).to_contain_text("old-api-key")
    await page.get_by_role("button", name="all").click()
    await page.get_by_label("Search").fill("SPEECH kv-demo")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("next rotation")


async def test_the_function_key_is_kept_nowhere(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    assert page.url == f"{running.url}/api/dashboard"
    assert running.key not in await page.content()
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert not await page.context.cookies()


async def test_an_error_is_shown_with_what_to_do(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await expect(page.locator("[data-id$='vision-key']")).to_contain_text("switched off")
    await opened(page, "vision-key")
    trouble = page.get_by_label("Trouble")
    await expect(trouble).to_contain_text("Switch it on, or remove")
    await expect(trouble).to_contain_text("LocalAuthDisabled")


async def test_a_secret_is_paused_and_goes_on(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await opened(page, "chat-key")
    await page.get_by_role("button", name="Pause…").click()
    await confirm(page, "Pause", "a freeze")
    await expect(page.locator(".panel .state")).to_have_text("paused")
    assert (running.azure.secret(VAULT, "chat-key").current.tags or {})["RotationPaused"] == "true"
    await page.get_by_role("button", name="Unpause…").click()
    await confirm(page, "Unpause", "the freeze is over")
    await expect(page.locator(".panel .state")).to_have_text("healthy")
    assert "RotationPaused" not in (running.azure.secret(VAULT, "chat-key").current.tags or {})


async def test_a_rotation_says_what_it_will_do_then_does_it(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    before = dict(running.azure.account("chat").keys)
    await opened(page, "chat-key")
    await page.get_by_role("button", name="Rotate now…").click()
    markup = "<img src=x onerror=alert(1)>"
    await confirm(page, "Show what will happen", markup)
    await expect(page.locator(".effects li").first).to_contain_text("Key2 is made new")
    assert running.azure.account("chat").keys == before
    await page.locator("dialog").get_by_role("button", name="Rotate now").click()
    await expect(page.get_by_label("Under way")).to_contain_text(markup)
    await expect(page.get_by_label("History")).to_contain_text(
        "the old key is refused", timeout=30_000
    )
    await expect(page.locator(".line rect.published.key2")).to_have_count(1)
    assert running.azure.account("chat").keys["Key1"] != before["Key1"]


async def test_a_refusal_says_what_is_in_the_way(tmp_path: Path, visit: Visit) -> None:
    async with site(estate(), tmp_path, {"ROTATION_OVERLAP": "PT10M"}) as running:
        page = await visit(running.page)
        late = await visit(running.page)
        for each in (page, late):
            await opened(each, "chat-key")
            await each.get_by_role("button", name="Rotate now…").click()
            await confirm(each, "Show what will happen", "a new owner")
        await page.locator("dialog").get_by_role("button", name="Rotate now").click()
        await expect(page.locator("dialog")).to_be_hidden()
        await late.locator("dialog").get_by_role("button", name="Rotate now").click()
        refusal = late.locator("dialog").get_by_role("alert")
        await expect(refusal).to_contain_text("under way already")
        await expect(refusal).to_contain_text("follow it")


async def test_a_blocked_rotation_is_abandoned(tmp_path: Path, visit: Visit) -> None:
    azure = estate()
    azure.account("chat").new_key_delay = azure.account("chat").new_key_delay.max
    async with site(azure, tmp_path, {"ROTATION_PATIENCE": "PT3S"}) as running:
        page = await visit(running.page)
        await opened(page, "chat-key")
        await page.get_by_role("button", name="Rotate now…").click()
        await confirm(page, "Show what will happen", "a new owner")
        await page.locator("dialog").get_by_role("button", name="Rotate now").click()
        await expect(page.get_by_label("Under way")).to_contain_text("blocked", timeout=30_000)
        await expect(page.get_by_label("Under way")).to_contain_text("resume or abandon")
        await page.get_by_role("button", name="Abandon…").click()
        await confirm(page, "Show what will happen", "the network is closed")
        await expect(page.locator("dialog")).to_contain_text("both keys stay as they are")
        await page.locator("dialog").get_by_role("button", name="Abandon").click()
        history = page.get_by_label("History")
        await expect(history).to_contain_text("abandoned by function key", timeout=30_000)


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.READ, []),
        (Role.OPERATE, ["Rotate now…", "Pause…"]),
        (Role.EMERGENCY, ["Rotate now…", "Pause…", "Key leaked…"]),
    ],
)
async def test_only_what_the_caller_may_do_is_offered(
    tmp_path: Path, visit: Visit, role: Role, shown: list[str]
) -> None:
    async with site(estate(), tmp_path, PLATFORM) as running:
        headers = signed_in(role)
        page = await visit(f"{running.url}/api/dashboard", extra_http_headers=headers)
        await expect(page.get_by_text("ada@contoso.example")).to_be_visible()
        await opened(page, "chat-key")
        assert await page.locator(".actions button").all_inner_texts() == shown
        everything = page.get_by_role("button", name="Everything leaked…")
        await expect(everything).to_be_visible(visible=role is Role.EMERGENCY)
