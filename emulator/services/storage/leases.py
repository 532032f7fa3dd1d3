"""The lease of one blob: its states, and what each allows.

REST reference, "Lease Blob": "Outcomes of use attempts on blobs by lease state".
"""

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

    def shown(self, now: datetime) -> dict[str, str]:
        """Return the state, the status, and the kind of duration while the blob is leased."""
        state = self.state(now)
        found = {"state": state, "status": "locked" if self.is_held(now) else "unlocked"}
        kind = "infinite" if self.seconds == INFINITE else "fixed"
        return found | ({"duration": kind} if state == "leased" else {})

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
        state = self.state(now)
        if state == "breaking":
            raise StorageError(409, "LeaseIsBreakingAndCannotBeChanged")
        if state != "leased":
            raise StorageError(409, "LeaseNotPresentWithLeaseOperation")
        if given != self.id and proposed != self.id:
            raise StorageError(409, "LeaseIdMismatchWithLeaseOperation")
        self.id = proposed

    def release(self, given: str) -> None:
        self._check(given)
        self._clear()

    def break_(self, seconds: int | None, now: datetime) -> int:
        """Break the lease; return the seconds until it is broken. A second break only shortens."""
        if not self.id:
            raise StorageError(409, "LeaseNotPresentWithLeaseOperation")
        end = self.until if self.broken_at is None else self.broken_at
        left = None if end is None else max(int((end - now).total_seconds()), 0)
        given = [number for number in (seconds, left) if number is not None]
        wait = min(given, default=0)
        self.broken_at = now + timedelta(seconds=wait)
        return wait

    def check_read(self, given: str, now: datetime) -> None:
        """Raise StorageError unless a read may give this lease id, or none."""
        if not given:
            return
        if self.is_held(now):
            if given != self.id:
                raise StorageError(412, "LeaseIdMismatchWithBlobOperation")
            return
        lost = given == self.id and self.broken_at is None
        raise StorageError(412, "LeaseLost" if lost else "LeaseNotPresentWithBlobOperation")

    def check_write(self, given: str, now: datetime) -> None:
        """Raise the same for a write, which needs the id of a held lease."""
        if self.is_held(now) and not given:
            raise StorageError(412, "LeaseIdMissing")
        self.check_read(given, now)

    def written(self, now: datetime) -> None:
        """Forget a lease that has ended: after a write, it cannot be renewed."""
        if not self.is_held(now):
            self._clear()

    def _check(self, given: str) -> None:
        if given != self.id or not self.id:
            raise StorageError(409, "LeaseIdMismatchWithLeaseOperation")

    def _clear(self) -> None:
        self.id, self.seconds, self.until, self.broken_at = "", 0, None, None

    def _extend(self, now: datetime) -> None:
        self.until = None if self.seconds == INFINITE else now + timedelta(seconds=self.seconds)
