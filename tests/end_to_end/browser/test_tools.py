"""Filters, the time zone, CSV, links and commands, and the first run."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Route, expect

from rotation.web.dashboard import page as dashboard

from . import generated
from .conftest import SCREENSHOTS, Visit
from .played import PAGE, played

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def served(visit: Visit, fleet: dict[str, Any], **options: Any) -> Page:
    async def answer(route: Route) -> None:
        if route.request.url == PAGE:
            html, policy = dashboard()
            headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
            await route.fulfill(body=html, headers=headers)
        elif route.request.url.endswith("/api/secrets"):
            await route.fulfill(body=generated.valid("Fleet", fleet))
        else:
            await route.fulfill(status=404, body="{}")

    return await visit(PAGE, answer, **options)


async def saved(page: Page) -> list[list[str]]:
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Save as CSV").click()
    return _read(await (await downloading.value).path())


def _read(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


async def test_the_vault_filter_and_the_csv_agree(visit: Visit) -> None:
    page, fleet = await played(visit, 300)
    await page.locator("#vault").select_option("kv-west")
    wanted = {row["secret"] for row in fleet["secrets"] if "kv-west" in row["vault"]}
    await expect(page.get_by_role("status")).to_have_text(f"{len(wanted)} of 302 shown")
    head, *lines = await saved(page)
    assert head[:3] == ["state", "vault", "secret"]
    assert {line[2] for line in lines} == wanted
    assert {line[1] for line in lines} == {"kv-west"}


async def test_a_formula_in_a_cell_is_text(visit: Visit) -> None:
    fleet = generated.fleet(5, datetime.now(UTC), {"healthy": 1})
    formulas = ['=cmd|"/c calc"!A0', "+1", "-1", "@SUM(A1)", " =1+1"]
    for row, formula in zip(fleet["secrets"], formulas, strict=True):
        row["why"] = formula
    page = await served(visit, fleet)
    head, *lines = await saved(page)
    found = {line[head.index("details")] for line in lines if line[2].endswith("-key")}
    assert found >= {f"'{formula}" for formula in formulas}


async def test_times_are_local_or_utc(visit: Visit) -> None:
    fleet = generated.fleet(1, datetime.now(UTC), {"healthy": 1})
    fleet["secrets"][0]["expires"] = "2027-03-01T23:30:00Z"
    page = await served(visit, fleet, timezone_id="Asia/Tokyo")
    zone, shown = page.get_by_label("Times"), page.locator(".of-expires .sub")
    await expect(zone.locator("option")).to_have_text(["Local (Asia/Tokyo)", "UTC"])
    await expect(shown).to_have_text("2 Mar 2027")
    await zone.select_option("UTC")
    await expect(shown).to_have_text("1 Mar 2027")
    tooltip = await page.locator(".of-expires time").get_attribute("title")
    assert tooltip == "1 Mar 2027, 23:30:00 UTC"


async def test_links_and_copies_name_the_account_and_the_secret(visit: Visit) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    page, fleet = await played(visit, 3, permissions=allowed)
    row = fleet["secrets"][0]
    vault = row["vault"].removeprefix("https://").partition(".")[0]
    await page.locator(f"[data-id='{vault}/{row['secret']}']").click()
    portal = "https://portal.azure.com/#@/"
    for name, address in (
        ("Account in the portal", f"{portal}resource{row['account']}/overview"),
        (
            "Secret in the portal",
            f"{portal}asset/Microsoft_Azure_KeyVault/Secret/{row['vault']}/secrets/{row['secret']}",
        ),
    ):
        link = page.get_by_role("link", name=name)
        await expect(link).to_have_attribute("href", address)
    for name, text in (
        ("Copy the account's resource id", row["account"]),
        ("Copy the command", f"keyrotation why {vault}/{row['secret']}"),
    ):
        await page.get_by_role("button", name=name).press("Enter")
        assert await page.evaluate("navigator.clipboard.readText()") == text
        await expect(page.get_by_role("status")).to_contain_text("Copied")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_the_first_run_shows_how_to_enrol_each_account(
    visit: Visit, width: int, scheme: str
) -> None:
    fleet = generated.fleet(1, datetime.now(UTC))
    fleet["secrets"], fleet["summary"]["secrets"] = [], 0
    fleet["verdict"] = {"level": "ok", "reasons": []}
    (account,) = fleet["unmanaged"]["accounts"]
    viewport = {"width": width, "height": 900}
    page = await served(visit, fleet, viewport=viewport, color_scheme=scheme)
    await expect(page.locator("#headline")).to_have_text("No secret is enrolled yet")
    first = page.get_by_role("region", name="Enrol your first account")
    command = f"keyrotation enrol {account['account']} --in-use key1 --dry-run"
    await expect(first.locator("code").first).to_have_text(command)
    copy = first.get_by_role("button", name="Copy the command that enrols oai-forgotten")
    await expect(copy).to_be_visible()
    found = await Axe().run(page)
    assert not [one["id"] for one in found.response["violations"]]
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.screenshot(path=SCREENSHOTS / f"first-{width}-{scheme}.png")


async def test_the_first_run_ends_with_the_first_secret(visit: Visit) -> None:
    page, _ = await played(visit, 1)
    await expect(page.get_by_text("Enrol your first account")).to_be_hidden()
    await page.locator("[data-id*='oai-forgotten']").click()
    await expect(page.locator(".panel code").first).to_contain_text("keyrotation enrol /subscr")
