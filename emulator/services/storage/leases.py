"""The lease of one blob."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .errors import StorageError

INFINITE = -1


@dataclass
class Lease:
    """A lease: its id, duration in seconds, and end; ``broken_at`` if it was broken."""

    id: str = ""
    seconds: int = 0
    until: datetime | None = None
    broken_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """Return available, leased, expired, breaking or broken."""
        if not self.id:
            return "available"
        if self.broken_at is not None:
            return "breaking" if now < self.broken_at else "broken"
        return "leased" if self.until is None or now < self.until else "expired"

    def is_held(self, now: datetime) -> bool:
        return self.state(now) in ("leased", "breaking")

    def acquire(self, wanted: str, seconds: int, now: datetime) -> None:
        if seconds != INFINITE and not 15 <= seconds <= 60:
            raise StorageError(400, "InvalidHeaderValue")
        state = self.state(now)
        if state == "breaking":
            raise StorageError(409, "LeaseIsBreakingAndCannotBeAcquired")
        if state == "leased" and wanted != self.id:
            raise StorageError(409, "LeaseAlreadyPresent")
        self.id, self.seconds, self.broken_at = wanted, seconds, None
        self._extend(now)

    def renew(self, given: str, now: datetime) -> None:
        self._check(given)
        if self.broken_at is not None:
            raise StorageError(409, "LeaseIsBrokenAndCannotBeRenewed")
        self._extend(now)

    def change(self, given: str, proposed: str, now: datetime) -> None:
        if not self.is_held(now):
            raise StorageError(409, "LeaseNotPresentWithLeaseOperation")
        if given != self.id and proposed != self.id:
            raise StorageError(409, "LeaseIdMismatchWithLeaseOperation")
        self.id = proposed

    def release(self, given: str) -> None:
        self._check(given)
        self.id, self.until, self.broken_at = "", None, None

    def break_(self, seconds: int | None, now: datetime) -> int:
        """Break the lease; return the seconds until it is broken."""
        if not self.id:
            raise StorageError(409, "LeaseNotPresentWithLeaseOperation")
        left = 0 if self.until is None else max(int((self.until - now).total_seconds()), 0)
        wait = left if seconds is None else min(seconds, left if self.until else seconds)
        self.broken_at = now + timedelta(seconds=wait)
        return wait

    def check_write(self, given: str, now: datetime) -> None:
        """Raise StorageError unless a write with this lease id, or none, is allowed."""
        if not self.is_held(now):
            return
        if not given:
            raise StorageError(412, "LeaseIdMissing")
        if given != self.id:
            raise StorageError(412, "LeaseIdMismatchWithLeaseOperation")

    def _check(self, given: str) -> None:
        if given != self.id or not self.id:
            raise StorageError(409, "LeaseIdMismatchWithLeaseOperation")

    def _extend(self, now: datetime) -> None:
        self.until = None if self.seconds == INFINITE else now + timedelta(seconds=self.seconds)
