"""Begins, ends and cancels operations by changing the record."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from ..domain import legacy
from ..domain.keys import Slot
from ..domain.operation import Ending, Operation, Phase, Purpose
from ..domain.record import HISTORY, Record
from ..domain.request import Leaked, Request, RequestKind
from .actions import Action, ActionKind
from .facts import Facts
from .notifications import ENDED, audit_record, notify


def operation_id(f: Facts, purpose: Purpose) -> str:
    """Return an id for an operation without a request: the same for the same record and time."""
    seed = f"{f.record.account}|{f.record.epoch}|{purpose}|{f.now.isoformat()}"
    return f"{f.record.account.slug}-{hashlib.sha256(seed.encode()).hexdigest()[:8]}"


def new_operation(
    f: Facts, purpose: Purpose, candidate: Slot, reason: str, request: Request | None
) -> Operation:
    """Create an operation; without a request it is attributed to the schedule."""
    return Operation(
        id=request.id if request else operation_id(f, purpose),
        purpose=purpose,
        reason=request.reason if request else reason,
        requester=request.requester if request else "schedule",
        started_at=f.now,
        phase_since=f.now,
        candidate=candidate,
        overlap=f.effective_policy.overlap,
        successes_needed=f.policy.probe_successes,
        leaked=request.leaked if request else Leaked.NONE,
        requests=(request.id,) if request else (),
        idempotency_keys=(request.idempotency_key,) if request and request.idempotency_key else (),
        role=request.role if request else None,
        request_id=request.request_id if request else None,
        asked_at=request.at if request else None,
    )


def begin(f: Facts, phase: Phase, operation: Operation, reason: str) -> Action:
    """Begin an operation and remove the requests that it fulfils."""
    audit = operation.audited(f.now, f"{operation.purpose} begins in {phase}: {reason}")
    fulfilled = {*operation.requests}
    record = replace(
        f.record,
        phase=phase,
        operation=replace(
            operation, phase_since=f.now, began_in=operation.began_in or phase, audit=audit
        ),
        requests=tuple(w for w in f.record.requests if w.id not in fulfilled),
        blocked=None,
    )
    return Action(ActionKind.MOVE, reason, record)


def end(
    f: Facts, outcome: str, ending: Ending = Ending.DONE, *, keep: tuple[Request, ...] = ()
) -> Action:
    """Move the operation to the history. The requests in ``keep`` are decided again.

    ``outcome`` begins with the ending's word unless it is DONE: earlier versions read it there.
    """
    f = without_intent(f)
    audit = f.operation.audited(f.now, f"ended: {outcome}")
    done = replace(f.operation, ended_at=f.now, ending=ending, outcome=outcome, audit=audit)
    over = ending is Ending.DONE and f.operation.purpose is not Purpose.REPAIR
    record = replace(
        f.record,
        held={} if over else f.record.held,
        phase=Phase.IDLE,
        epoch=f.record.epoch + 1,
        operation=None,
        blocked=None,
        requests=(*f.record.requests, *keep),
        history=(*f.record.history, done)[-HISTORY:],
    )
    return Action(
        ActionKind.MOVE, outcome, notify(record, f, ENDED, audit_record(f.record.account, done))
    )


def cancellable(record: Record) -> bool:
    """Return whether the running operation changed nothing in Azure; False if in doubt."""
    operation = record.operation
    if operation is None or record.intent or operation.puts or operation.overlap_until:
        return False
    if legacy.may_have_regenerated(operation):
        return False
    return record.phase in (Phase.REGENERATE, Phase.VERIFY, Phase.PUBLISH)


def without_intent(f: Facts) -> Facts:
    """Clear the intent; if its outcome is unknown or not listed yet, quarantine the slot."""
    intent = f.record.intent
    if intent is None:
        return f
    quarantine = dict(f.record.quarantine)
    if not intent.answered or f.is_unlisted or f.fingerprint(intent.slot) == intent.before:
        quarantine[intent.slot] = f.now + f.policy.settle
    return replace(f, record=replace(f.record, intent=None, quarantine=quarantine))


def confirmed(f: Facts) -> Facts:
    """Clear an intent that was followed by its answer alone, once ARM lists the new value."""
    intent = f.record.intent
    if intent is None or f.is_unlisted or f.record.phase in (Phase.REGENERATE, Phase.REVOKE):
        return f
    return f if f.fingerprint(intent.slot) == intent.before else without_intent(f)


def superseded(f: Facts, why: str) -> Action:
    """End an operation that has published nothing yet, and decide its request again."""
    again = (_as_request(f.operation),) if f.operation.requests else ()
    return end(f, f"{Ending.OVERTAKEN}: {why}", Ending.OVERTAKEN, keep=again)


def _as_request(operation: Operation) -> Request:
    """Return the request that a rotation came from."""
    return Request(
        id=operation.id,
        kind=RequestKind.MANUAL,
        reason=operation.reason,
        requester=operation.requester,
        at=operation.started_at,
        idempotency_key=next(iter(operation.idempotency_keys), None),
        role=operation.role,
        request_id=operation.request_id,
    )
