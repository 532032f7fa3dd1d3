"""Several secrets are selected, and rotated or paused together."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from rotation.domain.access import Role

from .conftest import SCREENSHOTS, Visit
from .played import played
from .site import PLATFORM, VAULT, Site, estate, signed_in, site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def select(page: Page, *names: str) -> None:
    for name in names:
        await page.get_by_label(f"Select {VAULT}/{name}", exact=True).check()


async def press(page: Page, *buttons: str) -> None:
    """Press a button of the bar, enter a reason, and press the buttons of the dialog."""
    first, *others = buttons
    await page.get_by_role("group", name="Selected secrets").get_by_text(first, exact=True).click()
    await page.get_by_label("Reason").fill("a new owner")
    for name in others:
        await page.locator("dialog").get_by_role("button", name=name, exact=True).click()


async def test_selected_secrets_are_rotated_together(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    azure = running.azure
    before = {name: dict(azure.account(name).keys) for name in ("chat", "speech", "vision")}
    await select(page, "chat-key", "speech-key")
    await press(page, "Rotate…", "Preview")
    await expect(page.locator("dialog summary")).to_contain_text(
        [f"{VAULT}/chat-key", f"{VAULT}/speech-key"]
    )
    await expect(page.locator("dialog summary").first).to_contain_text("regenerate Key2")
    assert before == {name: azure.account(name).keys for name in before}
    await page.locator("dialog").get_by_role("button", name="Rotate now").click()
    await expect(page.locator("dialog .verdict")).to_have_text("2 of 2 accepted")
    lines = page.locator("dialog").get_by_role("list", name="Rotations").get_by_role("listitem")
    await expect(lines).to_have_count(2)
    await expect(lines.filter(has_text="ended")).to_have_count(2, timeout=60_000)
    await expect(page.locator("dialog")).not_to_contain_text("You can close this dialog")
    await page.locator("dialog").get_by_role("button", name="Close").click()
    for name in ("chat", "speech"):
        row = page.locator(f"[data-id='{VAULT}/{name}-key']")
        await expect(row.locator(".slot")).to_have_text("Key2", timeout=60_000)
    assert azure.account("vision").keys == before["vision"]


async def test_the_preview_tells_which_of_them_will_wait(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await select(page, "chat-key", "vision-key")
    await press(page, "Rotate…", "Preview")
    waiting = page.locator("dialog summary").filter(has_text=f"{VAULT}/vision-key")
    await expect(waiting).to_contain_text("Nothing yet: key authentication is disabled")
    await page.locator("dialog").get_by_role("button", name="Rotate now").click()
    line = page.locator("dialog li").filter(has_text="vision")
    await expect(line).to_contain_text("key authentication is disabled")
    await expect(page.locator("dialog")).to_contain_text("You can close this dialog")
    found = await Axe().run(page)
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]]


async def test_one_refused_secret_does_not_stop_the_others(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    await select(page, "chat-key", "speech-key", "vision-key")
    running.azure.vault(VAULT).delete("chat-key")
    await press(page, "Pause…", "Pause")
    await expect(page.locator("dialog .verdict")).to_have_text("2 of 3 accepted")
    await expect(page.locator("dialog .error-box")).to_contain_text(f"{VAULT}/chat-key")
    tags = running.azure.secret(VAULT, "speech-key").current.tags or {}
    assert tags["RotationPaused"] == "true"


async def test_a_row_is_selected_by_keyboard(visit: Visit) -> None:
    page, fleet = await played(visit, 30)
    bar = page.get_by_role("group", name="Selected secrets")
    first = page.locator("[aria-rowindex='2']")
    await expect(bar).to_be_hidden()
    await first.focus()
    await page.keyboard.press("Shift+Space")
    await expect(first).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_role("status")).to_have_text("1 selected")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Shift+Space")
    await expect(bar).to_contain_text("2 selected")
    await bar.get_by_role("button", name="Select all shown").click()
    await expect(bar).to_contain_text(f"{len(fleet['secrets'])} selected")
    await bar.get_by_role("button", name="Clear").click()
    await expect(bar).to_be_hidden()
    await expect(page.locator("[aria-selected=true]")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 900, 375])
async def test_a_selection_is_readable_and_accessible(
    visit: Visit, width: int, scheme: str
) -> None:
    viewport = {"width": width, "height": 900}
    page, _ = await played(visit, 30, viewport=viewport, color_scheme=scheme)
    for number in (0, 1):
        await page.locator(".pick input").nth(number).check()
    found = await Axe().run(page)
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]]
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.screenshot(path=SCREENSHOTS / f"selection-{width}-{scheme}.png")


async def test_a_reader_selects_nothing(tmp_path: Path, visit: Visit) -> None:
    async with site(estate(), tmp_path, PLATFORM) as running:
        headers = signed_in(Role.READ)
        page = await visit(f"{running.url}/api/dashboard", extra_http_headers=headers)
        await expect(page.get_by_text("ada@contoso.example")).to_be_visible()
        await expect(page.locator(".pick")).to_have_count(0)
