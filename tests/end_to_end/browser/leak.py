"""Plays the API in an emergency for a whole fleet, with more rotations than it lists."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Route

from . import generated

LISTED = 200  # the most that the API lists


class Leak:
    """``over`` is the number of ended rotations in the next reply.

    ``held`` is the reason that the first key is not revoked.
    """

    def __init__(self, accounts: int) -> None:
        self.accounts, self.over, self.held = accounts, 0, ""
        self.asked: list[dict[str, Any]] = []

    async def answer(self, route: Route) -> bool:
        """Answer a request about rotations. Return False for any other request."""
        path = route.request.url.partition("/api/")[2]
        if not path.startswith("rotations"):
            return False
        if route.request.method == "GET":
            await self._fulfil(route, 200, self._rotations())
            return True
        body: dict[str, Any] = route.request.post_data_json or {}
        self.asked.append(body)
        if body.get("dry_run"):
            await self._fulfil(route, 200, self._preview())
        else:
            await self._fulfil(route, 202, self._accepted())
        return True

    def _preview(self) -> dict[str, Any]:
        counts = {"accounts": self.accounts, "secrets": self.accounts}
        return {"dryRun": True, "would": [], **counts}

    def _accepted(self) -> dict[str, Any]:
        status = "/api/rotations?batch=b"
        rest = {"rotations": [], "failed": [], "status": status, "notSeen": []}
        return {"batch": "b", "accounts": self.accounts, **rest}

    def _rotations(self) -> dict[str, Any]:
        """Return the newest rotations, which end last, and the count of all."""
        running = self.accounts - self.over
        states = {"ended": self.over, "running": running}
        now = generated.text(datetime.now(UTC))
        state = "running" if running >= LISTED else "ended"
        rotations: list[dict[str, Any]] = [
            {
                "id": f"{generated.slug(number)}-0123456789ab",
                "account": generated.account_id(f"ai-{number}"),
                "state": state,
                "phase": "idle",
                "reason": "all of it",
                "requester": "ada",
                "startedAt": now,
            }
            for number in range(min(self.accounts, LISTED))
        ]
        if self.held:
            why = {"reason": self.held, "remedy": "correct it"}
            rotations[0] |= {"revoked": False, "notRevoked": why}
        return {"rotations": rotations, "states": states}

    async def _fulfil(self, route: Route, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body)
        if "states" not in body:
            text = generated.valid("DryRun" if status == 200 else "Batch", body)
        await route.fulfill(status=status, body=text, content_type="application/json")
