"""Rows of secrets of which a listing or a record does not tell everything. Pure."""

from __future__ import annotations

from datetime import datetime

from ...domain.errors import RotationError, Unreadable
from ...domain.ids import TargetId
from ...domain.record import Record
from ...domain.targets import ListedSecret
from ...engine.failures import from_exception
from ..replies.fleet import SecretState
from .fleet import Row
from .state import state_of_member

_UNTAGGED = "its latest version has no tags; the service knows it from its journal"


def without_record(listed: ListedSecret, exc: Unreadable, now: datetime) -> Row:
    """Return the row of a secret if the record of its account cannot be read."""
    return Row(
        target=listed.target,
        account=listed.account,
        state=SecretState.FAILING,
        why=exc.advice,
        published_at=listed.created,
        expires=listed.expires,
        error=from_exception(exc, now),
    )


def unread(target: TargetId, record: Record, exc: RotationError, now: datetime) -> Row:
    """Return the row of a member whose vault cannot be read."""
    return Row(
        target=target,
        account=record.account,
        state=SecretState.UNKNOWN,
        why=exc.advice,
        phase=record.phase,
        operation=record.operation.id if record.operation else None,
        last=record.history[-1] if record.history else None,
        error=from_exception(exc, now),
    )


def untagged(target: TargetId, record: Record) -> Row:
    """Return the row of a member that is not listed with our tags."""
    note = record.notes.get(str(target), _UNTAGGED)
    return Row(
        target=target,
        account=record.account,
        state=state_of_member(target, record),
        why="; ".join(text for text in (note, record.waiting) if text),
        next_at=record.waiting_until,
        phase=record.phase,
        operation=record.operation.id if record.operation else None,
        last=record.history[-1] if record.history else None,
        error=record.blocked or record.last_failure,
        problems=(note,),
    )
