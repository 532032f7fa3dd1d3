"""The table with ten thousand secrets, and its use by keyboard."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import Visit
from .played import played

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MANY = 10_000
UNMANAGED = 2  # an account and a secret
WINDOW = 60  # rows; fewer than these fit into 900 pixels


async def test_only_visible_rows_have_elements(visit: Visit) -> None:
    page, _ = await played(visit, MANY)
    rows, grid = page.locator("[data-id]"), page.get_by_role("grid")
    await expect(grid).to_have_attribute("aria-rowcount", str(MANY + UNMANAGED + 1))
    assert 10 < await rows.count() < WINDOW
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = page.locator(f"[aria-rowindex='{MANY + UNMANAGED + 1}']")
    await expect(last).to_be_in_viewport()
    assert await rows.count() < WINDOW
    header = page.get_by_role("columnheader", name="Secret")
    await expect(header).to_be_in_viewport()


async def test_ten_thousand_secrets_can_be_searched_and_filtered(visit: Visit) -> None:
    page, fleet = await played(visit, MANY)
    shown = page.get_by_role("status")
    await page.get_by_role("searchbox").fill("chat-prod-")
    wanted = [row for row in fleet["secrets"] if row["secret"].startswith("chat-prod-")]
    await expect(shown).to_have_text(f"{len(wanted):,} of {MANY + UNMANAGED:,} shown")
    await page.get_by_role("searchbox").fill("")
    chip = page.get_by_role("button", name="failing")
    failing = fleet["summary"]["states"]["failing"]
    await expect(chip).to_contain_text(str(failing))
    await chip.click()
    await expect(shown).to_have_text(f"{failing:,} of {MANY + UNMANAGED:,} shown")
    await expect(page.locator("[data-id] .state").first).to_have_text("failing")
    await page.get_by_role("searchbox").fill("no such thing")
    await expect(page.get_by_text("No matches")).to_be_visible()


async def test_a_column_sorts_in_both_directions(visit: Visit) -> None:
    page, fleet = await played(visit, MANY)
    first = page.locator("[aria-rowindex='2']")
    order = sorted(fleet["secrets"], key=lambda row: str(row["expires"]))
    for direction, wanted in (("ascending", order[0]), ("descending", order[-1])):
        header = page.get_by_role("columnheader", name="Expires")
        await header.get_by_role("button").click()
        await expect(header).to_have_attribute("aria-sort", direction)
        when = await first.locator(".of-expires time").get_attribute("datetime")
        assert when == wanted["expires"]


async def test_everything_is_reachable_by_keyboard(visit: Visit) -> None:
    page, _ = await played(visit, MANY)
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.locator("[aria-rowindex='2']").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[aria-rowindex='3']")).to_be_focused()
    await page.keyboard.press("End")
    last = page.locator(f"[aria-rowindex='{MANY + UNMANAGED + 1}']")
    await expect(last).to_be_focused()
    await expect(last).to_be_in_viewport()
    await page.keyboard.press("Home")
    top = page.locator("[aria-rowindex='2']")
    await expect(top).to_be_focused()
    await expect(top).to_be_in_viewport()
    name = await top.locator(".of-secret .main").inner_text()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("complementary", name=name)).to_be_visible()
    await expect(page.get_by_role("button", name="Close")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("complementary")).to_be_hidden()
    await expect(top).to_be_focused()


async def test_a_row_keeps_the_focus_when_scrolled_out_of_view(visit: Visit) -> None:
    page, _ = await played(visit, MANY)
    await page.locator("[aria-rowindex='2']").focus()
    await page.evaluate("scrollTo(0, 100000)")
    await expect(page.locator("[aria-rowindex='1722']")).to_be_attached()
    await expect(page.locator("[aria-rowindex='2']")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[aria-rowindex='3']")).to_be_in_viewport()
