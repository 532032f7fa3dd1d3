"""The table, the panel and the actions of an operator, on the real service."""

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
    """Enter the reason and press the button."""
    await page.get_by_label("Reason").fill(reason)
    await page.locator("dialog").get_by_role("button", name=button, exact=True).click()


async def test_the_table_shows_managed_and_unmanaged_resources(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await expect(page.get_by_role("heading", level=2)).to_have_text("Attention needed")
    await expect(page.locator("#reasons li")).to_have_text(["1 refused."])
    rows = page.locator("[data-id]")
    await expect(rows).to_have_count(5)
    states = [await rows.nth(i).locator(".state").inner_text() for i in range(5)]
    assert states == ["refused", "healthy", "healthy", "unmanaged", "unmanaged"]
    await page.get_by_role("button", name="unmanaged").click()
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("forgotten")
    await expect(rows.last).to_contain_text("old-api-key")
    await page.get_by_role("button", name="all").click()
    await page.get_by_role("searchbox").fill("SPEECH kv-demo")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("speech-key")


async def test_the_function_key_is_not_stored(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    assert page.url == f"{running.url}/api/dashboard"
    assert running.key not in await page.content()
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert not await page.context.cookies()


async def test_an_error_is_shown_with_its_remedy(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await expect(page.locator("[data-id$='vision-key'] .wrong")).not_to_be_empty()
    await opened(page, "vision-key")
    error = page.get_by_label("Error")
    await expect(error.locator("p").first).not_to_be_empty()
    await expect(error).to_contain_text("LocalAuthDisabled")


async def test_a_secret_can_be_paused_and_unpaused(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await opened(page, "chat-key")
    await page.get_by_role("button", name="Pause…").click()
    await confirm(page, "Pause", "a freeze")
    await expect(page.locator(".panel .state")).to_have_text("paused")
    assert (running.azure.secret(VAULT, "chat-key").current.tags or {})["RotationPaused"] == "true"
    await page.get_by_role("button", name="Unpause…").click()
    await confirm(page, "Unpause", "the freeze is over")
    await expect(page.locator(".panel .state")).to_have_text("healthy")

    await page.get_by_text("Settings in force").click()
    settings = page.get_by_label("Settings", exact=True)
    await expect(settings).to_contain_text("90 daysfrom ValidityPeriodDays")
    await expect(settings).to_contain_text("from ROTATION_OVERLAP")

    await page.get_by_text("Last readers").click()
    readers = page.get_by_label("Last readers", exact=True)
    await expect(readers).to_contain_text("Unknown: the vaults' audit logs are not connected")
    assert "RotationPaused" not in (running.azure.secret(VAULT, "chat-key").current.tags or {})


async def test_a_rotation_is_previewed_and_then_carried_out(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    before = dict(running.azure.account("chat").keys)
    await opened(page, "chat-key")
    await page.get_by_role("button", name="Rotate now…").click()
    markup = "<img src=x onerror=alert(1)>"
    await confirm(page, "Preview", markup)
    await expect(page.locator(".effects li").first).to_contain_text("Key2")
    assert running.azure.account("chat").keys == before
    await page.locator("dialog").get_by_role("button", name="Rotate now").click()
    await expect(page.get_by_label("In progress")).to_contain_text(markup)
    await expect(page.get_by_label("History").locator(".past")).to_have_count(1, timeout=30_000)
    await expect(page.locator(".line rect.published.key2")).to_have_count(1)
    assert running.azure.account("chat").keys["Key1"] != before["Key1"]


async def test_a_refused_request_shows_the_running_rotation(tmp_path: Path, visit: Visit) -> None:
    async with site(estate(), tmp_path, {"ROTATION_OVERLAP": "PT10M"}) as running:
        page = await visit(running.page)
        late = await visit(running.page)
        for each in (page, late):
            await opened(each, "chat-key")
            await each.get_by_role("button", name="Rotate now…").click()
            await confirm(each, "Preview", "a new owner")
        await page.locator("dialog").get_by_role("button", name="Rotate now").click()
        await expect(page.locator("dialog")).to_be_hidden()
        await late.locator("dialog").get_by_role("button", name="Rotate now").click()
        refusal = late.locator("dialog").get_by_role("alert")
        await expect(refusal).to_contain_text("Running rotation")


async def test_a_blocked_rotation_can_be_abandoned(tmp_path: Path, visit: Visit) -> None:
    azure = estate()
    azure.account("chat").new_key_delay = azure.account("chat").new_key_delay.max
    async with site(azure, tmp_path, {"ROTATION_PATIENCE": "PT3S"}) as running:
        page = await visit(running.page)
        await opened(page, "chat-key")
        await page.get_by_role("button", name="Rotate now…").click()
        await confirm(page, "Preview", "a new owner")
        await page.locator("dialog").get_by_role("button", name="Rotate now").click()
        await expect(page.get_by_label("In progress")).to_contain_text("blocked", timeout=30_000)
        await page.get_by_role("button", name="Abandon…").click()
        await confirm(page, "Preview", "the network is closed")
        await expect(page.locator("dialog h3")).to_have_text("What will happen")
        await page.locator("dialog").get_by_role("button", name="Abandon").click()
        history = page.get_by_label("History")
        await expect(history).to_contain_text("Abandoned", timeout=30_000)


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.READ, []),
        (Role.OPERATE, ["Rotate now…", "Pause…"]),
        (Role.EMERGENCY, ["Rotate now…", "Pause…", "Key leaked…"]),
    ],
)
async def test_only_permitted_actions_are_offered(
    tmp_path: Path, visit: Visit, role: Role, shown: list[str]
) -> None:
    async with site(estate(), tmp_path, PLATFORM) as running:
        headers = signed_in(role)
        page = await visit(f"{running.url}/api/dashboard", extra_http_headers=headers)
        await expect(page.get_by_text("ada@contoso.example")).to_be_visible()
        await opened(page, "chat-key")
        assert await page.locator(".actions button").all_inner_texts() == shown
        everything = page.get_by_role("button", name="All keys leaked…")
        await expect(everything).to_be_visible(visible=role is Role.EMERGENCY)
