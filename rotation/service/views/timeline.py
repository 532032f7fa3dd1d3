"""The timeline of an account's two keys: when each slot was published and until when it worked.

Pure. It goes back as far as the journal, which keeps 20 operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

from msgspec import Struct

from ...domain.emergency import Emergency
from ...domain.keys import Slot
from ...domain.operation import Operation, Purpose
from ...domain.record import Record
from ..replies.reply import optional
from ..replies.rotation import RotationReply, RotationState
from ..replies.secret import AccountReply, NextReply, SlotsReply, SpanReply
from . import rotations

_OVER = (RotationState.ENDED, RotationState.CANCELLED)


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


def build(record: Record, documents: Iterable[Emergency], now: datetime) -> AccountReply:
    """Return the reply about an account, with its emergencies."""
    found = [rotation.reply for rotation in rotations.of_account(record, documents)]
    past = [one for one in found if one.state in _OVER]
    present = [one for one in found if one.state not in _OVER]
    return AccountReply(
        account=str(record.account),
        slug=record.account.slug,
        at=now,
        slots=_slots(spans(record)),
        next=NextReply(what=record.phase, why=record.waiting, at=optional(record.waiting_until)),
        running=next((one for one in present if one.started_at), None),
        waiting=[one for one in present if not one.started_at],
        history=sorted(past, key=_ended, reverse=True),
    )


def _ended(one: RotationReply) -> datetime:
    return one.ended_at or datetime.min.replace(tzinfo=UTC)


def _slots(found: list[Span]) -> SlotsReply:
    return SlotsReply(
        key1=[_span(span) for span in found if span.slot is Slot.KEY1],
        key2=[_span(span) for span in found if span.slot is Slot.KEY2],
    )


def _span(span: Span) -> SpanReply:
    return SpanReply(
        since=span.since,
        until=span.until,
        overlap_until=span.overlap_until,
        operation=span.operation,
    )
