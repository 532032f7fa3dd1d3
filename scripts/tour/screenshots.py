"""Takes screenshots of the dashboard during an emergency, for docs/runbook-leak.md."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from tests.end_to_end.browser.site import browser_path, site

from .console import ROOT
from .estate import VAULT, estate

FOLDER = ROOT / "docs/images"


async def take_screenshots(directory: Path) -> list[Path]:
    """Take all screenshots and return their paths."""
    FOLDER.mkdir(exist_ok=True)
    async with (
        site(estate(), directory, {"ROTATION_OVERLAP": "PT26H", "ROTATION_LEAD": "P30D"}) as found,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=browser_path())
        page = await browser.new_page(viewport={"width": 1200, "height": 760})
        await page.goto(found.page)
        taken = [await _shot(page, name) async for name in _story(page)]
        await browser.close()
    return taken


async def _story(page: Page) -> AsyncIterator[str]:
    dialog = page.locator("dialog")
    await page.locator(f"[data-id='{VAULT}/chat-weu-key']").wait_for()
    yield "leak-1-fleet"
    await page.locator(f"[data-id='{VAULT}/chat-weu-key']").press("Enter")
    await page.get_by_role("button", name="Key leaked…").click()
    await dialog.get_by_label("Key1").check()
    await dialog.get_by_label("Reason (recorded in the audit trail)").fill(
        "INC-4711: pasted into #general at 03:04"
    )
    yield "leak-2-request"
    await dialog.get_by_role("button", name="Preview").click()
    await expect(dialog.locator(".effects")).to_be_visible()
    yield "leak-3-preview"
    await dialog.get_by_role("button", name="Revoke now").click()
    await expect(dialog.locator(".verdict")).to_have_text(
        "✓ The old key is refused", timeout=60_000
    )
    yield "leak-4-revoked"
    await dialog.get_by_role("button", name="Close").click()
    await expect(page.get_by_label("History")).to_contain_text("Emergency")
    yield "leak-5-history"


async def _shot(page: Page, name: str) -> Path:
    path = FOLDER / f"{name}.png"
    await page.screenshot(path=path)
    return path
