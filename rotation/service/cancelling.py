"""Cancels a request or an operation inside the compare-and-swap of its record. Pure."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from ..decisions.lifecycle import cancellable
from ..domain import legacy
from ..domain.keys import Slot
from ..domain.operation import AuditEntry, Ending, Operation, Purpose
from ..domain.record import HISTORY, Record
from ..domain.request import Request, RequestKind
from . import inbox
from .requests import too_late


def cancelled(record: Record, operation_id: str, answer: Request) -> Record | None:
    """Return the record with a cancellation; None if there is nothing to add.

    A waiting request moves to the history. A running operation ends at the next visit. Raises
    Permanent if something has been changed.
    """
    found = record.find(operation_id)
    if isinstance(found, Request):
        rest = inbox.removed(record, found.id)
        return replace(rest, history=(*rest.history, _as_history(found, answer))[-HISTORY:])
    if found is None or legacy.ending(found) is Ending.CANCELLED:
        return None
    if found.ended_at or not cancellable(record):
        raise too_late()
    return inbox.added(record, answer)


def _as_history(request: Request, answer: Request) -> Operation:
    """Return a request that never began as an operation that was cancelled."""
    note = f"{Ending.CANCELLED} by {answer.requester}: {answer.reason}"
    emergency = request.kind is RequestKind.EMERGENCY
    return Operation(
        id=request.id,
        purpose=Purpose.EMERGENCY if emergency else Purpose.ROTATE,
        reason=request.reason,
        requester=request.requester,
        started_at=request.at,
        phase_since=request.at,
        candidate=Slot.KEY1,
        overlap=timedelta(),
        successes_needed=0,
        leaked=request.leaked,
        requests=(request.id,),
        idempotency_keys=(request.idempotency_key,) if request.idempotency_key else (),
        audit=(AuditEntry(answer.at, f"ended: {note}"),),
        ended_at=answer.at,
        outcome=note,
        role=request.role,
        request_id=request.request_id,
        asked_at=request.at,
        ending=Ending.CANCELLED,
    )
