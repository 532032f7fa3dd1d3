"""The headline: the service's verdict in words, and never an old one as if it were new."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from rotation.web.dashboard import page as dashboard

from . import generated
from .conftest import Visit
from .played import PAGE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Fleet:
    """Answers with its verdict, or with an error if ``fails``."""

    def __init__(self, level: str, *reasons: str) -> None:
        self.body = generated.fleet(3, datetime.now(UTC), {"healthy": 1})
        self.fails = False
        self.judge(level, *reasons)

    def judge(self, level: str, *reasons: str) -> None:
        self.body["verdict"] = {"level": level, "reasons": list(reasons)}

    async def answer(self, route: Route) -> None:
        if route.request.url == PAGE:
            html, policy = dashboard()
            headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
            await route.fulfill(body=html, headers=headers)
        elif self.fails:
            body: dict[str, Any] = {"title": "No token", "detail": "Restore the identity."}
            await route.fulfill(status=503, body=json.dumps(body))
        else:
            body = self.body | {"at": generated.text(datetime.now(UTC))}
            await route.fulfill(body=generated.valid("Fleet", body))


async def refresh(page: Page) -> None:
    await page.locator("#refresh").click()


@pytest.mark.parametrize(
    ("level", "reasons", "headline"),
    [
        ("ok", [], "Everything is healthy"),
        ("attention", ["1 paused", "the last sweep stopped: no token"], "Attention needed"),
        ("failing", ["2 expired"], "Rotation is failing"),
        ("a level of a later version", ["1 odd"], "Rotation is failing"),
    ],
)
async def test_the_headline_is_the_verdict(
    visit: Visit, level: str, reasons: list[str], headline: str
) -> None:
    fleet = Fleet("ok")
    page = await visit(PAGE, fleet.answer)
    await page.route("**/api/secrets", lambda route: route.fulfill(body=json.dumps(fleet.body)))
    fleet.judge(level, *reasons)
    await refresh(page)
    await expect(page.get_by_role("heading", level=2)).to_have_text(headline)
    shown = [f"{reason[0].upper()}{reason[1:]}." for reason in reasons]
    await expect(page.locator("#reasons li")).to_have_text(shown)


async def test_no_verdict_outlives_a_failed_poll(visit: Visit) -> None:
    fleet = Fleet("ok")
    page = await visit(PAGE, fleet.answer)
    headline = page.get_by_role("heading", level=2)
    await expect(headline).to_have_text("Everything is healthy")
    fleet.fails = True
    await refresh(page)
    await expect(headline).to_contain_text("Out of date since")
    await expect(page.get_by_role("alert")).to_contain_text("Restore the identity.")
    await page.get_by_role("searchbox").fill("prod")
    await page.get_by_role("button", name="healthy").click()
    await expect(headline).to_contain_text("Out of date since")
    fleet.fails = False
    await refresh(page)
    await expect(headline).to_have_text("Everything is healthy")
    await expect(page.get_by_role("alert")).to_be_empty()


async def test_a_change_of_the_verdict_is_announced(visit: Visit) -> None:
    fleet = Fleet("ok")
    page = await visit(PAGE, fleet.answer)
    fleet.judge("failing", "1 expired")
    await refresh(page)
    await expect(page.get_by_role("status")).to_have_text("Rotation is failing. 1 expired")
