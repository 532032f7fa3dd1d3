"""The timeline of an account's two keys: when each slot was published and until when it worked.

Pure. It goes back as far as the journal, which keeps 20 operations.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

from msgspec import Struct

from ...domain.codec import present
from ...domain.keys import Slot
from ...domain.operation import Operation, Purpose
from ...domain.record import Record
from . import operation


class Span(Struct, frozen=True):
    """The time in which a slot was published; its key worked until ``overlap_until``."""

    slot: Slot
    since: datetime
    until: datetime | None
    overlap_until: datetime | None
    operation: str


def spans(record: Record) -> list[Span]:
    """Return the spans, the oldest first; the last one has no end."""
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
    """Return the operations that published, with the time of their first version."""
    running = [record.operation] if record.operation else []
    return [
        (min(put.created for put in one.puts.values()), one)
        for one in (*record.history, *running)
        if one.puts
    ]


def _revoked(following: Operation) -> datetime | None:
    """Return when the replaced key was or will be revoked; a repair revokes none."""
    if following.purpose is Purpose.REPAIR:
        return None
    return following.ended_at or following.overlap_until


def build(record: Record, now: datetime) -> dict[str, Any]:
    """Return the body of ``GET /api/accounts/{slug}``."""
    found = spans(record)
    running = record.operation
    return {
        "account": str(record.account),
        "slug": record.account.slug,
        "at": present({"at": now})["at"],
        "slots": {slot.value: [_span(s) for s in found if s.slot is slot] for slot in Slot},
        "next": {"what": record.phase.value, "why": record.waiting}
        | present({"at": record.waiting_until}),
        "running": operation.to_json(record, running) if running else None,
        "waiting": [operation.to_json(record, wish) for wish in record.requests],
        "history": [operation.to_json(record, done) for done in reversed(record.history)],
    }


def _span(span: Span) -> dict[str, Any]:
    body = {
        "from": span.since,
        "until": span.until,
        "overlapUntil": span.overlap_until,
        "operation": span.operation,
    }
    return dict.fromkeys(body) | present(body)
