"""The reply about the last sweep. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from ...engine.journal import LastSweep
from ..replies.fleet import LastSweepReply


def age(last: LastSweep | None, now: datetime) -> int | None:
    """Return the age in seconds of the last successful sweep, or None if there was none."""
    if last is None or last.succeeded is None:
        return None
    return int(max(now - last.succeeded, timedelta()).total_seconds())


def build(last: LastSweep | None, now: datetime) -> LastSweepReply | None:
    """Return the reply about the last sweep, or None if there was none."""
    if last is None:
        return None
    return LastSweepReply(
        at=last.at,
        age_seconds=age(last, now),
        accounts=last.accounts,
        problems=list(last.problems),
        stopped=last.stopped,
    )
