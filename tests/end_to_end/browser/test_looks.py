"""Layout and accessibility: light and dark, on a desktop, a tablet and a phone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from .conftest import SCREENSHOTS, Visit
from .played import played

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = {"desktop": (1440, 900), "tablet": (900, 1100), "phone": (375, 812)}
SEVERE = ("serious", "critical")


@dataclass(frozen=True)
class Look:
    size: str
    scheme: str

    @property
    def options(self) -> dict[str, Any]:
        width, height = SIZES[self.size]
        viewport = {"width": width, "height": height}
        return {"viewport": viewport, "color_scheme": self.scheme, "reduced_motion": "reduce"}


LOOKS = [Look(size, scheme) for size in SIZES for scheme in ("light", "dark")]


async def check(page: Page, look: Look, what: str) -> None:
    """Take a screenshot. Fail if axe reports a serious violation or the page is too wide."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{look.size}-{look.scheme}-{what}.png")
    found = await Axe().run(page)
    severe = [one for one in found.response["violations"] if one["impact"] in SEVERE]
    nodes = [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in severe]
    assert found.response["passes"], "axe checked nothing"
    assert not severe, json.dumps(nodes, indent=1)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.size}-{look.scheme}")
async def test_the_page_is_readable_and_accessible(visit: Visit, look: Look) -> None:
    page, fleet = await played(visit, 400, **look.options)
    await check(page, look, "fleet")
    row = next(row for row in fleet["secrets"] if row["state"] == "overlap")
    await page.get_by_role("searchbox").fill(row["secret"])
    await page.locator("[data-id]").first.click()
    await expect(page.locator(".line rect.overlapped").first).to_be_visible()
    await expect(page.locator(".past")).to_have_count(5)
    await check(page, look, "panel")
    await page.get_by_role("button", name="Key leaked…").click()
    await expect(page.locator("dialog")).to_be_visible()
    await check(page, look, "emergency")


async def test_the_page_follows_the_colour_scheme(visit: Visit) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        page, _ = await played(visit, 3, color_scheme=scheme)
        colour = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness[scheme] = sum(int(part) for part in colour[4:-1].split(","))
    assert brightness["dark"] < 120 < 600 < brightness["light"]


async def test_nothing_moves_if_reduced_motion_is_preferred(visit: Visit) -> None:
    page, fleet = await played(visit, 400, reduced_motion="reduce")
    row = next(row for row in fleet["secrets"] if row["state"] == "overlap")
    await page.get_by_role("searchbox").fill(row["secret"])
    await page.locator("[data-id]").first.click()
    await expect(page.locator(".steps .current")).to_be_visible()
    assert await page.evaluate("document.getAnimations().length") == 0
