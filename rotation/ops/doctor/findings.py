"""The result of a check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from ...domain.errors import Permanent, RotationError


class CheckState(StrEnum):
    """The state of a check, the best first.

    ``UNKNOWN``: it could not be checked, which is not itself a failure.
    """

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One check of one subject; ``fix`` is what to do, a command if possible."""

    check: str
    subject: str
    state: CheckState
    detail: str = ""
    fix: str = ""


async def attempt(check: str, subject: str, read: Callable[[], Awaitable[str]]) -> Finding:
    """Return a finding with what ``read`` returns, or with the error that it raises."""
    try:
        return Finding(check, subject, CheckState.OK, await read())
    except Permanent as exc:
        return Finding(check, subject, CheckState.FAILED, str(exc), exc.remedy)
    except RotationError as exc:
        return Finding(check, subject, CheckState.FAILED, str(exc), "Try again.")


def unknown(check: str, subject: str, detail: str, scope: str = "the vault") -> Finding:
    """Return a finding for a check that needs permission to read ``scope``."""
    fix = f"To check this, grant Reader on {scope} and run doctor again."
    return Finding(check, subject, CheckState.UNKNOWN, detail, fix)
