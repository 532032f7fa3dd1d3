"""The activity of all accounts, and the calendar of upcoming rotations."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Route, expect

from rotation.web.dashboard import page as dashboard

from . import generated
from .conftest import SCREENSHOTS, Visit
from .played import PAGE

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOW = datetime.now(UTC)


async def opened(visit: Visit, count: int = 6, **options: Any) -> tuple[Page, dict[str, Any]]:
    """Return the page with the history of each account, and the fleet that it shows."""
    fleet = generated.fleet(count, NOW, {"healthy": 1})
    found = [one for row in fleet["secrets"] for one in generated.account(row, NOW)["history"]]
    found[0] |= {"notRevoked": {"reason": "the account is locked", "remedy": "remove the lock"}}
    rotations = generated.valid("Rotations", {"rotations": found, "states": {"ended": len(found)}})

    async def answer(route: Route) -> None:
        if route.request.url == PAGE:
            html, policy = dashboard()
            headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
            await route.fulfill(body=html, headers=headers)
        elif route.request.url.endswith("/api/secrets"):
            await route.fulfill(body=generated.valid("Fleet", fleet))
        elif route.request.url.endswith("/api/rotations"):
            await route.fulfill(body=rotations)
        else:
            await route.fulfill(status=404, body=json.dumps({}))

    return await visit(PAGE, answer, **options), fleet


async def test_the_activity_says_who_what_when_and_how_it_ended(visit: Visit) -> None:
    page, fleet = await opened(visit)
    await page.locator("#activity summary").press("Enter")
    lines = page.locator("#activity .acts li")
    await expect(lines).to_have_count(30)
    await expect(lines.first).to_contain_text("NOT REVOKED: the account is locked")
    await page.locator("#activity").get_by_label("Person").select_option("ada@contoso.example")
    await expect(lines).to_have_count(6)
    await expect(lines.first).to_contain_text("Emergency")
    await expect(lines.first).to_contain_text("pasted into a public chat")
    row = fleet["secrets"][0]
    await page.locator("#activity").get_by_label("Account").select_option(row["accountName"])
    await expect(lines).to_have_count(1)
    await lines.first.get_by_role("button", name=row["accountName"]).press("Enter")
    await expect(page.get_by_role("complementary", name=row["secret"])).to_be_visible()


async def test_the_activity_is_filtered_by_vault(visit: Visit) -> None:
    page, _ = await opened(visit)
    await page.locator("#activity summary").press("Enter")
    await page.locator("#activity").get_by_label("Vault").select_option("kv-east")
    await expect(page.locator("#activity .acts li")).to_have_count(10)


async def test_the_calendar_counts_the_rotations_of_each_day(visit: Visit) -> None:
    page, fleet = await opened(visit, 300)
    await page.locator("#upcoming summary").press("Enter")
    days = page.get_by_role("group", name="Rotations by day").get_by_role("button")
    near = await days.count()
    await page.locator("#upcoming").get_by_label("Show the next").select_option("90 days")
    await expect(page.locator("#upcoming .day")).to_have_count(90)
    assert await days.count() >= near
    due = [row["nextAt"] for row in fleet["secrets"]]
    shown = [await day.get_attribute("aria-label") or "" for day in await days.all()]
    counts = [
        1 if "one rotation" in text else int(text.split(": ")[1].split()[0]) for text in shown
    ]
    assert sum(counts) == len([at for at in due if at < generated.text(NOW + timedelta(days=89))])
    await days.first.press("Enter")
    listed = page.locator("#upcoming .acts li")
    await expect(listed).to_have_count(counts[0])
    await listed.first.get_by_role("button").press("Enter")
    await expect(page.get_by_role("complementary")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_both_are_accessible(visit: Visit, width: int, scheme: str) -> None:
    viewport = {"width": width, "height": 900}
    page, _ = await opened(visit, 40, viewport=viewport, color_scheme=scheme)
    for name in ("activity", "upcoming"):
        await page.locator(f"#{name} summary").press("Enter")
    await page.locator("#upcoming button.day").first.press("Enter")
    await expect(page.locator("#activity .acts li").first).to_be_visible()
    await page.screenshot(path=SCREENSHOTS / f"activity-{width}-{scheme}.png")
    found = await Axe().run(page)
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]]
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
