"""Asks consumers to read their secrets again after a publish. A failure never fails a rotation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain.operation import Operation
from ..domain.record import Nudge, Record
from ..domain.targets import Target
from .facts import Facts

# The first attempt is immediate; the others come after these pauses, then no more.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 120, 240))


def ask(record: Record, f: Facts, targets: Iterable[Target]) -> Record:
    """Note which consumers of ``targets`` are to read again; each is asked once per version."""
    wanted: dict[str, list[str]] = {}
    for target in targets:
        for consumer in f.policy.consumers.of(target.id, target.enrolment.consumers):
            if consumer.resource:
                wanted.setdefault(consumer.name, []).append(f"{target.id}/{target.version}")
    new = {
        name: Nudge(tuple(versions), f.now)
        for name, versions in wanted.items()
        if name not in record.nudges or set(versions) - set(record.nudges[name].versions)
    }
    return replace(record, nudges={**record.nudges, **new}) if new else record


def due(record: Record, now: datetime) -> tuple[str, ...]:
    """Return the names of the consumers to ask now."""
    return tuple(n for n, nudge in record.nudges.items() if nudge.next_at and nudge.next_at <= now)


def next_at(record: Record) -> datetime | None:
    """Return the time of the next attempt, or None."""
    return min((nudge.next_at for nudge in record.nudges.values() if nudge.next_at), default=None)


def tried(record: Record, name: str, error: str, now: datetime) -> Record:
    """Note an attempt and its error, which is empty if it succeeded, also in the audit trail."""
    before = record.nudges.get(name)
    if before is None:
        return record
    again = before.tries < len(PAUSES) and bool(error)
    following = now + PAUSES[before.tries] if again else None
    nudge = replace(before, next_at=following, tries=before.tries + 1, error=error)
    record = replace(record, nudges={**record.nudges, name: nudge})
    if not error:
        return _noted(record, now, f"{name} was asked to read its secret again")
    if before.error and again:
        return record
    when = "it is tried again" if again else "nobody tries it again"
    return _noted(record, now, f"{name} was not asked to read its secret again: {error}; {when}")


def _noted(record: Record, now: datetime, what: str) -> Record:
    """Add a line to the audit trail of the running operation, or else of the last one."""
    if record.operation:
        return replace(record, operation=record.operation.noting(now, what))
    if not record.history:
        return record
    last: Operation = record.history[-1].noting(now, what)
    return replace(record, history=(*record.history[:-1], last))
