"""Opens the real page with generated replies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Page, Route

from rotation.web.dashboard import page as dashboard

from . import generated
from .conftest import Visit
from .leak import Leak

PAGE = "https://service.test/api/dashboard"


async def played(
    visit: Visit, count: int, leak: Leak | None = None, **options: Any
) -> tuple[Page, dict[str, Any]]:
    """Return the page with that many secrets, and the fleet that it shows."""
    now = datetime.now(UTC)
    fleet = generated.fleet(count, now)
    listed = generated.valid("Fleet", fleet)

    async def answer(route: Route) -> None:
        url = route.request.url
        if leak and await leak.answer(route):
            return
        if url == PAGE:
            html, policy = dashboard()
            headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
            await route.fulfill(body=html, headers=headers)
        elif url.endswith("/api/secrets"):
            await route.fulfill(body=listed, content_type="application/json")
        else:
            body = _account(fleet, url.rpartition("/")[2], now)
            await route.fulfill(body=body, content_type="application/json")

    return await visit(PAGE, answer, **options), fleet


def _account(fleet: dict[str, Any], slug: str, now: datetime) -> str:
    row = next(row for row in fleet["secrets"] if row["slug"] == slug)
    return generated.valid("Account", generated.account(row, now))
