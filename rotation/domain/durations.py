"""ISO 8601 durations, as in Key Vault's own rotation policies: ``P90D``, ``PT26H``, ``PT5S``."""

from __future__ import annotations

import re
from datetime import timedelta

_PATTERN = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def parse(text: str) -> timedelta:
    """Parse a duration of weeks to seconds. Years and months vary in length and are refused.

    Raises ValueError with an example.
    """
    match = _PATTERN.fullmatch(text.strip().upper())
    parts = {k: float(v) for k, v in match.groupdict().items() if v} if match else {}
    if not parts:
        raise ValueError(f"{text!r} is not a duration; write for example P2D, PT26H or PT90S")
    try:
        return timedelta(**parts)
    except OverflowError:
        raise ValueError(f"{text!r} is too long; write at most P3650D") from None


def words(duration: timedelta) -> str:
    """Return a duration for people: "26 hours", "2 days", "1 minute 30 seconds"."""
    seconds = duration.total_seconds()
    if seconds and seconds % 86400 == 0:
        return _counted(seconds // 86400, "day")
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = ((hours, "hour"), (minutes, "minute"), (seconds, "second"))
    return " ".join(_counted(n, unit) for n, unit in parts if n) or "0 seconds"


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
