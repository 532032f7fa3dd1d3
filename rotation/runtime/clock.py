"""Azure's time: the local clock, corrected by the ``Date`` of the last response."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


class Clock:
    """A clock that follows the Date of Azure's responses. Callers refuse a large skew."""

    def __init__(self, local: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._local = local
        self.skew = timedelta()

    def now(self) -> datetime:
        """Return Azure's time, aware, in UTC."""
        return self._local() + self.skew

    def observe(self, date: str | None) -> None:
        """Correct the clock by an HTTP Date (RFC 9110, whole seconds); an invalid one is ignored.

        Differences below two seconds are rounding and transit, not skew.
        """
        try:
            seen = parsedate_to_datetime(date or "")
        except ValueError:
            return
        if seen.tzinfo is None:
            return
        skew = seen - self._local()
        self.skew = skew if abs(skew) > timedelta(seconds=2) else timedelta()
