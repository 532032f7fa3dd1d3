"""Operations and pending requests as JSON: ids, reasons and times, never a key. Pure."""

from __future__ import annotations

from typing import Any

from ...domain import legacy
from ...domain.codec import present
from ...domain.operation import Ending, Operation, Phase
from ...domain.record import Record
from ...domain.request import Request


def to_json(record: Record, found: Operation | Request) -> dict[str, Any]:
    """Return the body of ``GET /api/rotations/{id}``."""
    return _request(record, found) if isinstance(found, Request) else _operation(record, found)


def _operation(record: Record, found: Operation) -> dict[str, Any]:
    running = found.ended_at is None
    body: dict[str, Any] = {
        "id": found.id,
        "account": str(record.account),
        "state": _state(record, found),
        "purpose": found.purpose,
        "phase": record.phase if running else Phase.IDLE,
        "reason": found.reason,
        "requester": found.requester,
        "role": found.role,
        "requestId": found.request_id,
        "leaked": found.leaked,
        "beganIn": legacy.began_in(found),
        "startedAt": found.started_at,
        "overlapUntil": found.overlap_until,
        "endedAt": found.ended_at,
        "outcome": found.outcome,
        "proof": found.proof,
        "proven": legacy.is_proven(found) or None,
        "audit": found.audit,
    }
    if running:
        body |= _waiting(record)
    return present(body)


def _request(record: Record, wish: Request) -> dict[str, Any]:
    body = {
        "id": wish.id,
        "account": str(record.account),
        "state": "blocked" if record.is_blocked else "waiting",
        "phase": Phase.IDLE,
        "reason": wish.reason,
        "requester": wish.requester,
        "role": wish.role,
        "requestId": wish.request_id,
        "leaked": wish.leaked,
        "requestedAt": wish.at,
    }
    return present(body | _waiting(record))


def _state(record: Record, operation: Operation) -> str:
    if operation.ended_at is not None:
        return "cancelled" if legacy.ending(operation) is Ending.CANCELLED else "ended"
    return "blocked" if record.is_blocked else "running"


def _waiting(record: Record) -> dict[str, Any]:
    """Return what the operation waits for: once an operator has answered, for that answer."""
    answer = record.pending_answer
    if answer:
        return {"waitingFor": f"{answer.kind}, requested by {answer.requester}"}
    trouble = record.blocked or record.last_failure
    return {
        "waitingFor": record.waiting or None,
        "waitingUntil": record.waiting_until,
        "trouble": trouble,
    }
