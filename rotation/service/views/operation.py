"""Replies about operations and pending requests: ids, reasons and times, never a key. Pure."""

from __future__ import annotations

from msgspec import UNSET, structs

from ...domain import legacy
from ...domain.operation import Ending, Operation, Phase
from ...domain.record import Failure, Record
from ...domain.request import Request
from ..replies.reply import optional
from ..replies.rotation import AuditEntryReply, RotationReply, RotationState, TroubleReply


def build(record: Record, found: Operation | Request) -> RotationReply:
    """Return the reply about an operation or a pending request."""
    return _request(record, found) if isinstance(found, Request) else _operation(record, found)


def _operation(record: Record, found: Operation) -> RotationReply:
    running = found.ended_at is None
    reply = RotationReply(
        id=found.id,
        account=str(record.account),
        state=_state(record, found),
        purpose=found.purpose,
        phase=record.phase if running else Phase.IDLE,
        reason=found.reason,
        requester=found.requester,
        role=optional(found.role),
        request_id=optional(found.request_id),
        leaked=found.leaked,
        began_in=optional(legacy.began_in(found)),
        started_at=found.started_at,
        overlap_until=optional(found.overlap_until),
        ended_at=optional(found.ended_at),
        outcome=optional(found.outcome),
        proof=optional(found.proof),
        proven=legacy.is_proven(found) or UNSET,
        audit=tuple(AuditEntryReply(at=entry.at, what=entry.what) for entry in found.audit),
    )
    return _with_wait(reply, record) if running else reply


def _request(record: Record, request: Request) -> RotationReply:
    reply = RotationReply(
        id=request.id,
        account=str(record.account),
        state=RotationState.BLOCKED if record.is_blocked else RotationState.WAITING,
        phase=Phase.IDLE,
        reason=request.reason,
        requester=request.requester,
        role=optional(request.role),
        request_id=optional(request.request_id),
        leaked=request.leaked,
        requested_at=request.at,
    )
    return _with_wait(reply, record)


def _state(record: Record, operation: Operation) -> RotationState:
    if operation.ended_at is not None:
        cancelled = legacy.ending(operation) is Ending.CANCELLED
        return RotationState.CANCELLED if cancelled else RotationState.ENDED
    return RotationState.BLOCKED if record.is_blocked else RotationState.RUNNING


def _with_wait(reply: RotationReply, record: Record) -> RotationReply:
    """Add what the operation waits for: once an operator has answered, for that answer."""
    answer = record.pending_answer
    if answer:
        waiting = f"{answer.kind}, requested by {answer.requester}"
        return structs.replace(reply, waiting_for=waiting)
    return structs.replace(
        reply,
        waiting_for=record.waiting or UNSET,
        waiting_until=optional(record.waiting_until),
        trouble=optional(trouble(record.blocked or record.last_failure)),
    )


def trouble(failure: Failure | None) -> TroubleReply | None:
    """Return the reply about a failure or a block, or None."""
    if failure is None:
        return None
    return TroubleReply(
        code=failure.code, message=failure.message, remedy=failure.remedy, since=failure.since
    )
