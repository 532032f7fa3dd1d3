"""All scheduled work is held on the page: placed, shown, changed and ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect

from rotation.domain.access import Role

from .conftest import SCREENSHOTS, Visit
from .site import PLATFORM, Site, estate, signed_in, site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def api(running: Site, method: str, path: str, **body: Any) -> tuple[int, Any]:
    headers = {"x-functions-key": running.key}
    async with (
        aiohttp.ClientSession(running.url, headers=headers) as client,
        client.request(method, f"/api/{path}", json=body or None) as answer,
    ):
        return answer.status, await answer.json()


def soon(**ahead: int) -> datetime:
    """Return a whole minute in the future."""
    return (datetime.now(UTC) + timedelta(**ahead)).replace(second=0, microsecond=0)


async def placed(running: Site, until: datetime) -> None:
    body = {"until": until.isoformat(), "reason": "release freeze"}
    assert (await api(running, "POST", "hold", **body))[0] == 200


def bar(page: Page) -> Locator:
    return page.get_by_role("group", name="Hold of all scheduled work")


async def ask(page: Page, button: str, reason: str) -> Locator:
    """Press a button of the bar, enter the reason, and return the dialog."""
    await bar(page).get_by_role("button", name=button).press("Enter")
    dialog = page.locator("dialog")
    await dialog.get_by_label("Reason").fill(reason)
    return dialog


async def test_scheduled_work_is_held_and_the_hold_is_ended(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    until = soon(days=3)
    dialog = await ask(page, "Hold scheduled work…", "release freeze")
    await dialog.get_by_label("Until (UTC)").fill(f"{until:%Y-%m-%dT%H:%M}")
    await dialog.get_by_role("button", name="Preview").click()
    await expect(dialog).to_contain_text("Repairs and emergencies go on.")
    assert (await api(running, "GET", "hold"))[1]["held"] is False, "a preview holds nothing"
    await dialog.get_by_role("button", name="Hold now").click()
    await expect(bar(page)).to_contain_text("The hold ends in 3 days")
    await expect(page.locator("#headline")).to_have_text("Attention needed")
    await expect(page.locator("#reasons")).to_contain_text("release freeze")
    _, found = await api(running, "GET", "hold")
    assert datetime.fromisoformat(found["until"]) == until
    dialog = await ask(page, "End the hold…", "released")
    await dialog.get_by_role("button", name="End the hold").click()
    await expect(bar(page)).not_to_contain_text("The hold ends")
    assert (await api(running, "GET", "hold"))[1]["held"] is False


async def test_an_end_too_far_ahead_is_never_sent(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    dialog = await ask(page, "Hold scheduled work…", "the whole winter")
    field = dialog.get_by_label("Until (UTC)")
    await field.fill(f"{soon(days=15):%Y-%m-%dT%H:%M}")
    await dialog.get_by_role("button", name="Preview").click()
    assert await field.evaluate("field => field.validity.rangeOverflow")
    await expect(dialog.get_by_role("button", name="Hold now")).to_have_count(0)


async def test_a_refusal_is_shown_with_its_remedy(running: Site, visit: Visit) -> None:
    page = await visit(running.page)
    dialog = await ask(page, "Hold scheduled work…", "the whole winter")
    await dialog.get_by_label("Until (UTC)").evaluate("field => { field.max = ''; }")
    await dialog.get_by_label("Until (UTC)").fill(f"{soon(days=15):%Y-%m-%dT%H:%M}")
    await dialog.get_by_role("button", name="Preview").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("is not within the next 14 days")
    await expect(dialog.get_by_role("alert")).to_contain_text("Choose an end before")


async def test_the_end_is_entered_in_the_zone_that_the_page_shows(
    running: Site, visit: Visit
) -> None:
    until = soon(days=2)
    await placed(running, until)
    page = await visit(running.page, timezone_id="Asia/Tokyo")
    for zone, name in ((ZoneInfo("Asia/Tokyo"), "Asia/Tokyo"), (UTC, "UTC")):
        if name == "UTC":
            await page.get_by_label("Times").select_option("UTC")
        dialog = await ask(page, "Change the hold…", "a day more")
        field = dialog.get_by_label(f"Until ({name})")
        local = until.astimezone(zone)
        await expect(field).to_have_value(f"{local:%Y-%m-%dT%H:%M}")
        until += timedelta(days=1)
        await field.fill(f"{until.astimezone(zone):%Y-%m-%dT%H:%M}")
        await dialog.get_by_role("button", name="Preview").click()
        await dialog.get_by_role("button", name="Hold now").click()
        await expect(dialog).to_be_hidden()
        await expect(bar(page)).to_contain_text(f"in {'3' if name != 'UTC' else '4'} days")
        _, found = await api(running, "GET", "hold")
        assert datetime.fromisoformat(found["until"]) == until


async def test_a_reader_sees_the_hold_and_cannot_change_it(tmp_path: Path, visit: Visit) -> None:
    async with site(estate(), tmp_path, PLATFORM) as running:
        operator, reader = (signed_in(role) for role in (Role.OPERATE, Role.READ))
        body = {"until": soon(days=2).isoformat(), "reason": "release freeze"}
        page = await visit(f"{running.url}/api/dashboard", extra_http_headers=reader)
        await expect(page.get_by_text("ada@contoso.example")).to_be_visible()
        await expect(bar(page)).to_be_hidden()
        async with aiohttp.ClientSession(running.url, headers=operator) as client:
            assert (await client.post("/api/hold", json=body)).status == 200
        await page.locator("#refresh").click()
        await expect(bar(page)).to_contain_text("The hold ends in")
        await expect(bar(page).get_by_role("button")).to_have_count(0)


async def test_health_stays_ok_while_work_is_held(running: Site) -> None:
    await placed(running, soon(days=2))
    status, health = await api(running, "GET", "health")
    assert (status, health["held"]) == (200, True)


async def test_the_hold_and_its_dialog_are_accessible(running: Site, visit: Visit) -> None:
    await placed(running, soon(days=2))
    for scheme in ("light", "dark"):
        page = await visit(running.page, color_scheme=scheme)
        for width in (1440, 375):
            await page.set_viewport_size({"width": width, "height": 900})
            for opened in (False, True):
                if opened:
                    await bar(page).get_by_role("button", name="Change the hold…").click()
                found = await Axe().run(page)
                problems = found.response["violations"]
                assert not [(one["id"], one["nodes"][0]["html"]) for one in problems]
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                name = f"hold-{width}-{scheme}{'-dialog' if opened else ''}.png"
                await page.screenshot(path=SCREENSHOTS / name)
            await page.keyboard.press("Escape")
