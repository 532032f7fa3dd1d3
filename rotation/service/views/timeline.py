"""An account's two keys over time: which slot was published when, and how long the old one lived.

Pure. Everything is in the journal; what it has forgotten (it keeps 20 operations) is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from ...domain.codec import present
from ...domain.model import Slot
from ...domain.record import Operation, Purpose, Record
from . import operation as report


@dataclass(frozen=True)
class Span:
    """A slot's key was the published one; then it still worked until ``overlap_until``."""

    slot: Slot
    since: datetime
    until: datetime | None
    overlap_until: datetime | None
    operation: str


def spans(record: Record) -> list[Span]:
    """The oldest first; the last one has no end."""
    published = sorted(_publications(record), key=lambda pair: pair[0])
    found = [
        Span(op.candidate, at, after, _revoked(following), op.id)
        for (at, op), (after, following) in pairwise(published)
    ]
    if published:
        at, last = published[-1]
        found.append(Span(last.candidate, at, None, None, last.id))
    return found


def _publications(record: Record) -> list[tuple[datetime, Operation]]:
    """The operations that published, and when the first of their versions was made."""
    operations = [*record.history, *([record.operation] if record.operation else [])]
    return [
        (min(put.created for put in operation.puts.values()), operation)
        for operation in operations
        if operation.puts
    ]


def _revoked(operation: Operation) -> datetime | None:
    """When the key that it replaced died, or is to die; a repair kills none."""
    if operation.purpose is Purpose.REPAIR:
        return None
    return operation.ended_at or operation.overlap_until


def of(record: Record, now: datetime) -> dict[str, Any]:
    """The body of ``GET /api/accounts/{slug}``."""
    found = spans(record)
    running = record.operation
    return {
        "account": str(record.account),
        "slug": record.account.slug,
        "at": present({"at": now})["at"],
        "slots": {slot.value: [_shown(s) for s in found if s.slot is slot] for slot in Slot},
        "next": {"what": record.phase.value, "why": record.waiting}
        | present({"at": record.waiting_until}),
        "running": report.of_operation(record, running) if running else None,
        "waiting": [report.of_operation(record, wish) for wish in record.wishes],
        "history": [report.of_operation(record, done) for done in reversed(record.history)],
    }


def _shown(span: Span) -> dict[str, Any]:
    body = {
        "from": span.since,
        "until": span.until,
        "overlapUntil": span.overlap_until,
        "operation": span.operation,
    }
    return dict.fromkeys(body) | present(body)
