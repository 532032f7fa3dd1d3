"""A hold of all scheduled work, which a person placed and which ends automatically."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

FORMAT = 1

LONGEST = timedelta(days=14)


class FleetHold(Struct, frozen=True):
    """The stored hold: its end, reason, author and start. One that is over stays stored."""

    until: datetime
    reason: str
    requester: str
    at: datetime
    role: str | None = None
    request_id: str | None = None
    format: int = FORMAT

    def is_on(self, now: datetime) -> bool:
        """Return whether it holds scheduled work at ``now``."""
        return now < min(self.until, self.at + LONGEST)

    @property
    def sentence(self) -> str:
        """The sentence that says so wherever the hold is shown."""
        return (
            f"all scheduled work is held until {self.until:%Y-%m-%d %H:%MZ} "
            f"by {self.requester}: {self.reason}"
        )
