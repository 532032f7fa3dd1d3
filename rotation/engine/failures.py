"""Records a failed step and computes the retry delay."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain.errors import Permanent, RotationError, Transient
from ..domain.record import OUTBOX, Failure, Notification, Record

FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=15)

ALARM_AFTER = 3


def delay(failures: int) -> timedelta:
    """Return 5 s, doubled with each consecutive failure up to 15 minutes."""
    return min(FIRST * (1 << min(failures, 12)), LONGEST)


def _pause(record: Record, asked: timedelta | None) -> timedelta:
    """Return what Azure asked for, and half the delay or more, always the same for an account.

    So accounts that were throttled together do not come back together.
    """
    seed = f"{record.account.slug}-{record.failures}".encode()
    share = hashlib.sha256(seed).digest()[0] / 255
    return (asked or timedelta()) + delay(record.failures) * (1 + share) / 2


def from_exception(exc: RotationError, now: datetime) -> Failure:
    """Return the failure to store for an exception."""
    remedy = exc.remedy if isinstance(exc, Permanent) else "it will be retried automatically"
    return Failure(exc.code, str(exc), remedy, now)


def record_failure(record: Record, exc: RotationError, now: datetime) -> Record:
    """Return the record with this failure; notify once if it is permanent or persists."""
    found = from_exception(exc, now)
    last = record.last_failure
    same = last if last and last.code == found.code else None
    if same:
        found = replace(found, since=same.since)
    permanent = isinstance(exc, Permanent)
    asked = exc.retry_after if isinstance(exc, Transient) else None
    pause = LONGEST if permanent else _pause(record, asked)
    failures = record.failures + 1
    noted = replace(
        record,
        last_failure=found,
        failures=failures,
        waiting=f"{found.message}; {found.remedy}",
        waiting_until=now + pause,
    )
    alarming = (permanent and not same) or (not permanent and failures == ALARM_AFTER)
    return _with_notification(noted, found) if alarming else noted


def _with_notification(record: Record, found: Failure) -> Record:
    operation = record.operation.id if record.operation else record.account.slug
    data = {
        "account": str(record.account),
        "operation": operation,
        "code": found.code,
        "error": found.message,
        "remedy": found.remedy,
    }
    name = f"{operation}-failed-{found.code}-{found.since.timestamp():.0f}"
    return replace(
        record, outbox=(*record.outbox, Notification(name, "failed", found.since, data))[-OUTBOX:]
    )
