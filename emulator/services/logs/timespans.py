"""Timespans of queries: an ISO 8601 duration, or an interval of two moments or a duration."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

DAY = timedelta(days=1)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def interval(text: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the first and the last moment; without a text, the last day. Raises ValueError."""
    if not text:
        return now - DAY, now
    first, separator, last = text.partition("/")
    try:
        if not separator:
            return now - _duration(first), now
        if first.startswith("P"):
            end = _moment(last)
            return end - _duration(first), end
        start = _moment(first)
        return start, start + _duration(last) if last.startswith("P") else _moment(last)
    except OverflowError:
        raise ValueError("the timespan is out of range") from None


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is not a duration")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _moment(text: str) -> datetime:
    """Return a moment, in UTC unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
