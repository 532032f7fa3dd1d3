"""The verdict on all secrets: the same for the command line, the dashboard and scripts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from ..replies.fleet import LastSweepReply, SecretState, VerdictLevel, VerdictReply
from .emergency import NOT_REVOKED
from .fleet import Row

SOON = timedelta(days=7)

_SHORTEST_PERIOD = timedelta(minutes=15)

_ATTENTION = (SecretState.UNKNOWN, SecretState.REFUSED, SecretState.DRIFTED, SecretState.PAUSED)


def verdict(
    rows: Sequence[Row],
    problems: Sequence[str],
    sweep: LastSweepReply | None,
    period: timedelta,
    now: datetime,
) -> VerdictReply:
    """Return the level and one reason for each kind of trouble, the worst first.

    ``problems`` concern no single secret; ``period`` is the time between two sweeps.
    """
    not_revoked = [text for text in problems if NOT_REVOKED in text]
    failing = [*not_revoked, *(text for text in _failing(rows, now) if text)]
    rest = [text for text in (*_attention(rows, now), *_of_sweep(sweep, period)) if text]
    reasons = list(dict.fromkeys([*failing, *rest, *problems]))
    if failing:
        return VerdictReply(level=VerdictLevel.FAILING, reasons=reasons)
    return VerdictReply(
        level=VerdictLevel.ATTENTION if reasons else VerdictLevel.OK, reasons=reasons
    )


def is_late(age_seconds: int | None, period: timedelta) -> bool:
    """Return whether the sweep that succeeded last is too long ago, or there was none."""
    limit = 3 * max(period, _SHORTEST_PERIOD)
    return age_seconds is None or age_seconds > limit.total_seconds()


def _failing(rows: Iterable[Row], now: datetime) -> Iterator[str]:
    rows = list(rows)
    yield _count(sum(row.state is SecretState.FAILING for row in rows), "failing")
    yield _count(sum(_left(row, now) <= timedelta() for row in rows), "expired")


def _attention(rows: Iterable[Row], now: datetime) -> Iterator[str]:
    rows = list(rows)
    states = Counter(row.state for row in rows)
    yield from (_count(states[state], state.value) for state in _ATTENTION)
    soon = sum(timedelta() < _left(row, now) <= SOON for row in rows)
    yield _count(soon, f"expiring within {SOON.days} days")
    yield _count(sum(bool(row.problems) for row in rows), "with a remark")


def _of_sweep(sweep: LastSweepReply | None, period: timedelta) -> Iterator[str]:
    age = sweep.age_seconds if sweep else None
    if age is None:
        yield "no sweep has run yet, so nothing is rotated automatically"
    elif is_late(age, period):
        yield f"the last sweep was {age // 60} minutes ago: is the function app running?"
    if sweep and sweep.stopped:
        yield f"the last sweep stopped: {sweep.stopped}"


def _left(row: Row, now: datetime) -> timedelta:
    return row.expires - now if row.expires else timedelta.max


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number else ""
