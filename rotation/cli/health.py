"""Derives the exit status and the warnings from the fleet. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .exit_status import ExitStatus

FAILING = "failing"
NEEDS_ATTENTION = ("unknown", "refused", "drifted")
SOON_DAYS = 7
LATE_SECONDS = 45 * 60


def evaluate(fleet: Mapping[str, Any], health: Mapping[str, Any]) -> tuple[ExitStatus, list[str]]:
    """Evaluate the bodies of ``GET /api/secrets`` and ``GET /api/health``."""
    states = fleet["summary"]["states"]
    failing = states.get(FAILING, 0)
    warnings = [f"{states[state]} {state}" for state in NEEDS_ATTENTION if states.get(state)]
    expiring = sum(map(_expires_soon, fleet["secrets"]))
    if expiring:
        warnings.append(f"{expiring} expiring within {SOON_DAYS} days")
    remarks = sum(bool(row.get("problems")) for row in fleet["secrets"])
    if remarks:
        warnings.append(f"{remarks} with a remark: see WAITING FOR")
    if health["status"] != "ok":
        warnings.append(_sweep_warning(health))
    warnings += fleet["problems"]
    if failing:
        return ExitStatus.FAILING, [f"{failing} failing", *warnings]
    return (ExitStatus.ATTENTION if warnings else ExitStatus.OK), warnings


def of_secret(state: str) -> ExitStatus:
    """Return the exit status for one secret's state."""
    if state == FAILING:
        return ExitStatus.FAILING
    return ExitStatus.ATTENTION if state in NEEDS_ATTENTION else ExitStatus.OK


def _expires_soon(row: Mapping[str, Any]) -> bool:
    left = row["expiresInDays"]
    return left is not None and left <= SOON_DAYS


def _sweep_warning(health: Mapping[str, Any]) -> str:
    age = health["lastSweepAgeSeconds"]
    if age is None:
        return "No sweep has run yet, so nothing is rotated automatically."
    if age < LATE_SECONDS:
        return "The service is degraded: it could not read everything, or a setting is not valid."
    return f"The last sweep was {age // 60} minutes ago. Is the function app running?"
