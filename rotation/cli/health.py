"""Derives exit statuses from states and from the service's verdict. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .exit_status import CommandError, ExitStatus

# The order in which `status` lists secrets: the worst first.
SEVERITY = (
    *("failing", "unknown", "refused", "drifted", "paused", "due"),
    *("rotating", "revoking", "overlap", "healthy"),
)

_OF_LEVEL = {"ok": ExitStatus.OK, "attention": ExitStatus.ATTENTION, "failing": ExitStatus.FAILING}
_NEEDS_ATTENTION = frozenset({"unknown", "refused", "drifted"})
_SOON_DAYS = 7


def of_verdict(fleet: Mapping[str, Any]) -> ExitStatus:
    """Return the exit status for ``GET /api/secrets``. Raises CommandError for an old service."""
    if "verdict" not in fleet:
        raise CommandError(
            ExitStatus.UNREACHABLE,
            "The service is older than this command line.",
            "Deploy the current version of the service.",
        )
    return _OF_LEVEL.get(fleet["verdict"]["level"], ExitStatus.FAILING)


def of_secret(state: str) -> ExitStatus:
    """Return the exit status for one secret's state."""
    if state == "failing":
        return ExitStatus.FAILING
    return ExitStatus.ATTENTION if state in _NEEDS_ATTENTION else ExitStatus.OK


def is_problem(row: Mapping[str, Any]) -> bool:
    """Return whether somebody must look at a row of ``GET /api/secrets``."""
    left = row["expiresInDays"]
    expires_soon = left is not None and left <= _SOON_DAYS
    return bool(of_secret(row["state"]) or row["problems"] or expires_soon)


def severity(row: Mapping[str, Any]) -> tuple[int, float, str, str]:
    """Return the sort key of a row: the worst state first, then the next to expire."""
    state, left = row["state"], row["expiresInDays"]
    rank = SEVERITY.index(state) if state in SEVERITY else 0
    return rank, float("inf") if left is None else left, row["vault"], row["secret"]
