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


def text(duration: timedelta) -> str:
    """Return the shortest form that parses to the same: ``PT26H``, ``P2D``, ``PT1M30S``."""
    seconds = duration.total_seconds()
    if seconds and seconds % 86400 == 0:
        return f"P{int(seconds // 86400)}D"
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{int(hours)}H" * (hours > 0), f"{int(minutes)}M" * (minutes > 0)]
    if seconds or not any(parts):
        parts.append(f"{seconds:g}S")
    return "PT" + "".join(parts)
