"""ISO 8601 durations, as in Key Vault's own rotation policies: ``P90D``, ``PT26H``, ``PT5S``."""

from __future__ import annotations

import re
from datetime import timedelta

# Nine digits are enough for a duration of ten years, and cannot overflow.
_PATTERN = re.compile(
    r"P(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?)?"
)

LONGEST = timedelta(days=3650)

_DAY = timedelta(days=1)


class TooLong(ValueError):
    """A duration above ``LONGEST``."""


def parse(text: str) -> timedelta:
    """Parse a duration of weeks to seconds, at most ``LONGEST``.

    Years and months vary in length and are refused. Raises ValueError with an example, and TooLong.
    """
    match = _PATTERN.fullmatch(text.strip().upper())
    parts = {k: float(v) for k, v in match.groupdict().items() if v} if match else {}
    if not parts:
        raise ValueError(f"{text[:40]!r} is not a duration; write for example P2D, PT26H or PT90S")
    try:
        duration = timedelta(**parts)
    except OverflowError:
        duration = timedelta.max
    if duration > LONGEST:
        raise TooLong(f"{text[:40]!r} is too long; write at most P3650D")
    return duration


def words(duration: timedelta) -> str:
    """Return a duration for people: "26 hours", "2 days", "1 minute 30 seconds"."""
    days, rest = divmod(duration, _DAY)
    if days and not rest:
        return _counted(days, "day")
    hours, left = divmod(duration.total_seconds(), 3600)
    minutes, seconds = divmod(left, 60)
    parts = ((hours, "hour"), (minutes, "minute"), (seconds, "second"))
    return " ".join(_counted(n, unit) for n, unit in parts if n) or "0 seconds"


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
