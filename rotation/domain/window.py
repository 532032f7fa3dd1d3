"""Rotation windows: when scheduled rotations may start, e.g. ``Mon-Fri 22:00-04:00 Europe/Berlin``.

Days are a list or range (``Sat,Sun``, ``Mon-Fri``, ``*``) and name the day on which the window
opens; hours are local to the time zone; an end at or before the start is on the next day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_PATTERN = re.compile(
    r"(?P<days>[A-Za-z,*-]+)\s+(?P<start>\d{1,2}:\d{2})-(?P<end>\d{1,2}:\d{2})(?:\s+(?P<zone>\S+))?"
)

_EXAMPLE = "write for example 'Mon-Fri 22:00-04:00 Europe/Berlin' or '* 01:00-05:00'"


@dataclass(frozen=True)
class Window:
    """Days of the week (0 is Monday) on which it opens, from ``start`` for ``length``."""

    days: frozenset[int]
    start: time
    length: timedelta
    zone: str = "UTC"

    def next_opening(self, now: datetime) -> datetime:
        """Return ``now`` if the window is open, else the next opening."""
        local = now.astimezone(ZoneInfo(self.zone))
        for offset in range(-1, 9):
            opens = self._opening(local, offset)
            if opens is not None and now < opens + self.length:
                return max(now, opens)
        raise AssertionError("a window with at least one day opens every week")

    def _opening(self, local: datetime, offset: int) -> datetime | None:
        day = (local + timedelta(days=offset)).date()
        if day.weekday() not in self.days:
            return None
        opens = datetime.combine(day, self.start, ZoneInfo(self.zone))
        return opens.astimezone(UTC)


def parse(text: str) -> Window:
    """Parse a window. Raises ValueError with an example."""
    match = _PATTERN.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a rotation window; {_EXAMPLE}")
    start, end = _minutes(match["start"]), _minutes(match["end"])
    length = timedelta(minutes=(end - start) % 1440 or 1440)
    opening = time(start // 60 % 24, start % 60)
    return Window(_days(match["days"]), opening, length, _zone(match["zone"] or "UTC"))


def _minutes(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    if hours > 24 or minutes > 59 or (hours == 24 and minutes):
        raise ValueError(f"{text!r} is not a time of day; {_EXAMPLE}")
    return hours * 60 + minutes


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = ("mon-sun" if part == "*" else part).partition("-")
        if first[:3] not in _DAYS or (last or first)[:3] not in _DAYS:
            raise ValueError(f"{part!r} is not a day of the week; {_EXAMPLE}")
        begin, end = _DAYS.index(first[:3]), _DAYS.index((last or first)[:3])
        days.update((begin + i) % 7 for i in range((end - begin) % 7 + 1))
    return frozenset(days)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a known time zone; {_EXAMPLE}") from None
    return name
