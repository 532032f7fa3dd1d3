"""The last sweep as JSON. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ...domain.codec import present
from ...engine.journal import LastSweep


def age(last: LastSweep | None, now: datetime) -> int | None:
    """Return the age in seconds of the last successful sweep, or None if there was none."""
    if last is None or last.succeeded is None:
        return None
    return int(max(now - last.succeeded, timedelta()).total_seconds())


def to_json(last: LastSweep | None, now: datetime) -> dict[str, Any] | None:
    """Return the last sweep; ``ageSeconds`` is the age of the last successful one."""
    if last is None:
        return None
    return {
        "at": present({"at": last.at})["at"],
        "ageSeconds": age(last, now),
        "accounts": last.accounts,
        "problems": list(last.problems),
        "stopped": last.stopped,
    }
