"""Outcomes → log fields, HTTP bodies and events. Ids, reasons and times only; never a key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from . import codec
from .action import Action, Kind
from .model import AccountId
from .operations import CANCELLED
from .record import Notice, Operation, Phase, Record, Trouble, Wish


class Outcome(Struct, frozen=True):
    """How a visit ended: what the account waits for, and until when.

    ``busy``: it wants to be looked at again at once. ``scheduled``: the wait is a new one.
    ``notices``: there may be something to tell the outside.
    """

    account: AccountId
    kind: Kind
    reason: str
    until: datetime | None = None
    phase: Phase = Phase.IDLE
    operation: str | None = None
    trouble: Trouble | None = None
    busy: bool = False
    scheduled: bool = False
    notices: bool = True

    @property
    def failed(self) -> bool:
        return self.trouble is not None


def of_action(action: Action, record: Record, *, scheduled: bool = False) -> Outcome:
    """What a step came to, with the record as it was stored."""
    return Outcome(
        account=record.account,
        kind=action.kind,
        reason=action.reason,
        until=action.not_before,
        phase=record.phase,
        operation=record.operation.id if record.operation else None,
        trouble=record.blocked,
        scheduled=scheduled,
        notices=bool(record.outbox),
    )


def fields(outcome: Outcome) -> dict[str, Any]:
    """Structured log fields with stable names."""
    return {
        "account": str(outcome.account),
        "operation": outcome.operation,
        "phase": outcome.phase.value,
        "action": outcome.kind.value,
        "reason": outcome.reason,
        "until": outcome.until.isoformat() if outcome.until else None,
        "code": outcome.trouble.code if outcome.trouble else None,
    }


def of_operation(record: Record, found: Operation | Wish) -> dict[str, Any]:
    """The body of ``GET /api/rotations/{id}``."""
    if isinstance(found, Wish):
        return _of_wish(record, found)
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
        "startedAt": found.started_at,
        "overlapUntil": found.overlap_until,
        "endedAt": found.ended_at,
        "outcome": found.outcome,
        "proof": found.proof,
        "audit": found.audit,
    }
    if running:
        body |= _waiting(record)
    return present(body)


def _of_wish(record: Record, wish: Wish) -> dict[str, Any]:
    body = {
        "id": wish.id,
        "account": str(record.account),
        "state": "blocked" if record.is_stopped else "waiting",
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
        return "cancelled" if (operation.outcome or "").startswith(CANCELLED) else "ended"
    return "blocked" if record.is_stopped else "running"


def _waiting(record: Record) -> dict[str, Any]:
    """An answer that was given is what it waits for, no longer a person."""
    if record.answer:
        return {"waitingFor": f"{record.answer.kind}, said by {record.answer.requester}"}
    trouble = record.blocked or record.trouble
    return {
        "waitingFor": record.waiting or None,
        "waitingUntil": record.waiting_until,
        "trouble": trouble,
    }


def present(body: dict[str, Any]) -> dict[str, Any]:
    """JSON-able, without absent members."""
    plain: dict[str, Any] = codec.plain({k: v for k, v in body.items() if v is not None})
    return plain


def event(notice: Notice, account: AccountId) -> dict[str, Any]:
    """A CloudEvent's attributes for ``ports.Notifier``."""
    return {
        "id": notice.id,
        "type": f"KeyRotation.{notice.type.capitalize()}",
        "subject": f"accounts/{account.name}",
        "time": notice.at,
        "data": dict(notice.data),
    }
