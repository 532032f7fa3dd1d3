"""Fixtures: Chromium driven by Playwright. Tests are skipped if no browser is installed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Route, async_playwright

from .site import Site, browser_path, estate, site

Visit = Callable[..., Awaitable[Page]]
Answers = Callable[[Route], Awaitable[None]]
SCREENSHOTS = Path(__file__).parents[3] / ".cache/screenshots"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the browser's path. If there is none, skip, or fail with REQUIRE_BROWSER=1."""
    found = browser_path()
    if found is None:
        reason = (
            "Chromium is not installed: run apt-get install chromium, or set CHROMIUM to its path"
        )
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium)
        yield launched
        await launched.close()


@pytest.fixture
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """Return a function that opens a page. Fail if a script fails or breaks the policy."""
    complaints: list[str] = []

    async def opened(url: str, answers: Answers | None = None, **options: Any) -> Page:
        options.setdefault("viewport", {"width": 1440, "height": 900})
        options.setdefault("timezone_id", "UTC")
        context = await browser.new_context(locale="en-GB", **options)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.extend(_complaint(message)))
        if answers:
            await page.route("**/*", answers)
        await page.goto(url)
        await page.locator("[data-id]").first.wait_for()
        return page

    yield opened
    assert not complaints


def _complaint(message: ConsoleMessage) -> list[str]:
    """Return the message if it is an error of the page. A refused request is not one."""
    refused = message.text.startswith("Failed to load resource")
    return [message.text] if message.type in ("error", "warning") and not refused else []


@pytest.fixture
async def running(chromium: str, tmp_path: Path) -> AsyncIterator[Site]:
    """Run the real service on the emulated estate, with function keys allowed."""
    async with site(estate(), tmp_path) as found:
        yield found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if SCREENSHOTS.exists():
        terminalreporter.write_line(f"screenshots of the dashboard: {SCREENSHOTS}")
