"""The fleet's exit status, and what made it so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .exit_status import Exit

NEEDS_ATTENTION = ("refused", "drifted")

SOON_DAYS = 7

# A sweep that is three periods late has stopped (as GET /api/health judges it).
FAILING = "failing"


def of(fleet: Mapping[str, Any], health: Mapping[str, Any]) -> tuple[Exit, list[str]]:
    """Bodies of ``GET /api/secrets`` and ``GET /api/health``."""
    states = fleet["summary"]["states"]
    failing = states.get(FAILING, 0)
    worries = [f"{states[s]} {s}" for s in NEEDS_ATTENTION if states.get(s)]
    expiring = [row for row in fleet["secrets"] if _expires_soon(row)]
    if expiring:
        worries.append(f"{len(expiring)} with an expiry within {SOON_DAYS} days")
    if health["status"] != "ok":
        worries.append(_sweep(health))
    worries += fleet["problems"]
    if failing:
        return Exit.FAILING, [f"{failing} failing", *worries]
    return (Exit.ATTENTION if worries else Exit.OK), worries


def _expires_soon(row: Mapping[str, Any]) -> bool:
    left = row["expiresInDays"]
    return left is not None and left <= SOON_DAYS


def _sweep(health: Mapping[str, Any]) -> str:
    age = health["lastSweepAgeSeconds"]
    if age is None:
        return "no sweep has run yet: nothing is rotated by itself"
    return f"the last sweep was {age // 60} minutes ago: is the function app running?"
