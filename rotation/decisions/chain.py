"""Decides the next action from the facts: the first check that returns an action wins.

Start reading here: the order of the checks is the policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as replace_action
from datetime import datetime

from msgspec.structs import replace

from ..domain.access import Role
from ..domain.account import Account
from ..domain.emergency import Emergency, Verdict
from ..domain.emergency import ended as closing
from ..domain.keys import Key, Keys
from ..domain.operation import Ending, Phase, Purpose
from ..domain.policy import Policy
from ..domain.record import Record
from ..domain.request import Request, RequestKind
from . import (
    contest,
    emergency,
    evidence,
    holds,
    idle,
    leaks,
    response,
    revocation,
    rollout,
    values,
)
from .actions import (
    Action,
    ActionKind,
    MissingFacts,
    blocked,
    enter,
    needs,
    undecided,
    unread,
)
from .facts import Facts
from .lifecycle import cancellable, confirmed, end, without_intent

_PHASES: dict[Phase, Callable[[Facts], Action]] = {
    Phase.IDLE: idle.decide,
    Phase.REGENERATE: rollout.regenerate,
    Phase.VERIFY: rollout.verify,
    Phase.PUBLISH: rollout.publish,
    Phase.OVERLAP: rollout.overlap,
    Phase.REVOKE: revocation.revoke,
    Phase.PROVE: revocation.prove,
    Phase.CLEAN: revocation.clean,
}

_CALLED_OFF = {Verdict.CANCELLED: Ending.CANCELLED, Verdict.ABANDONED: Ending.ABANDONED}


def decide(f: Facts) -> Action:
    """Return the next action for an account."""
    f = leaks.asked(_without_events(f))
    return _restored(f) or _answered(f) or _decide(confirmed(f))


def _decide(f: Facts) -> Action:
    """Return the next action if nobody answered."""
    urgent = _called_off(f) or emergency.decide(f) or _respond(f)
    return urgent or _unjudged(f) or _scheduled(f)


def _unjudged(f: Facts) -> Action | None:
    """Ask whether values that are neither key work, unless nothing may be written there now."""
    asked = values.unproven(f, tuple(t for t in f.broken if not holds.is_resting(f, t)))
    reason = "some secrets publish neither key; which keys work?"
    return needs(f, reason, MissingFacts(probe=asked)) if asked else None


def _scheduled(f: Facts) -> Action:
    """Return the next action if nobody answered and nothing is urgent."""
    f = values.without_strays(f)
    asked = holds.unread(f) if holds.is_ready(f) else None
    if asked:
        return asked
    f = holds.without_left_behind(holds.counted(f))
    return (
        contest.hold(f)
        or _stopped(f)
        or _unenrolled(f)
        or _coalesce(f)
        or _unread(f)
        or _PHASES[f.record.phase](f)
    )


def _without_events(f: Facts) -> Facts:
    """Drop the requests of events that the version before stored: events ask for nothing now."""
    requests = f.record.requests
    kept = tuple(r for r in requests if r.kind is not RequestKind.EXPIRY)
    if len(kept) == len(requests):
        return f
    return replace(f, record=replace(f.record, requests=kept))


def _restored(f: Facts) -> Action | None:
    """Forget the fingerprint of the old key if the record's fingerprints are not of its salt."""
    operation = f.record.operation
    if operation is None or operation.retired is None or not f.has_other_salt:
        return None
    f = without_intent(f)
    operation = replace(operation, retired=None)
    record = replace(f.record, operation=operation, seen=f.observed)
    return Action(ActionKind.MOVE, "the record was restored or edited; keys decide", record)


def _respond(f: Facts) -> Action | None:
    """Go on with a running emergency, which nothing below may stop."""
    operation = f.record.operation
    if operation is None or operation.purpose is not Purpose.EMERGENCY:
        return None
    return _coalesce(f) or response.decide(f)


def _answered(f: Facts) -> Action | None:
    """Apply an operator's answer to a blocked operation, or a cancellation."""
    request = f.record.pending_answer
    if request is None:
        return None
    rest = tuple(w for w in f.record.requests if w.id != request.id)
    cause = f.record.blocked
    f = replace(f, record=replace(f.record, requests=rest, blocked=None, last_failure=None))
    if f.record.operation is None:
        return Action(ActionKind.MOVE, f"there is nothing to {request.kind}", f.record)
    if f.operation.purpose is Purpose.EMERGENCY and request.role != Role.EMERGENCY:
        reason = f"to {request.kind} an emergency needs the role {Role.EMERGENCY}"
        return Action(ActionKind.MOVE, reason, f.record)
    if request.kind is RequestKind.CANCEL:
        return _cancelled(f, request)
    if request.kind is RequestKind.ABANDON:
        return _ended(f, request, Ending.ABANDONED, Verdict.ABANDONED)
    note = f"resumed by {request.requester}: {request.reason}"
    if cause and cause.code == evidence.MISSING:
        return enter(f, Phase.REVOKE, f"{note}; without evidence: {cause.message}")
    f = replace(f, record=replace(f.record, foreign_changes=()))
    again = replace(f.operation, overwritten=0)
    return enter(f, f.record.phase, note, again)


def _called_off(f: Facts) -> Action | None:
    """End an emergency whose documents a person closed while the operation began."""
    operation = f.record.operation
    if operation is None or operation.purpose is not Purpose.EMERGENCY:
        return None
    if f.record.phase is Phase.CLEAN:
        return None
    mine = leaks.concerning(f)
    closed = next((e for e in mine if e.verdict in _CALLED_OFF), None)
    if closed is None or any(e.is_open for e in mine):
        return None
    note = closed.audit[-1].what if closed.audit else closed.verdict.value
    return end(f, note, _CALLED_OFF[closed.verdict])


def abandoned(
    record: Record, now: datetime, policy: Policy, found: tuple[Emergency, ...]
) -> Action | None:
    """Return the end of an operation that a person abandoned, although Azure cannot be read."""
    request = record.pending_answer
    if request is None or request.kind is not RequestKind.ABANDON or record.operation is None:
        return None
    unknown = Keys(Key(""), Key(""))
    account = Account(record.account, "", "")
    return _answered(Facts(now, policy, record, account, unknown, (), emergencies=found))


def _cancelled(f: Facts, request: Request) -> Action:
    if cancellable(f.record):
        return _ended(f, request, Ending.CANCELLED, Verdict.CANCELLED)
    return Action(ActionKind.MOVE, "too late to cancel", f.record)


def _ended(f: Facts, request: Request, ending: Ending, verdict: Verdict) -> Action:
    """End the operation as a person asked, and with it the emergencies that it stands for."""
    note = f"{ending} by {request.requester}: {request.reason}"
    mine = tuple(closing(e, verdict, f.now, note) if e.is_open else e for e in leaks.concerning(f))
    return replace_action(end(f, note, ending), emergencies=mine)


def _stopped(f: Facts) -> Action | None:
    cause = f.record.blocked
    return blocked(f, f"{cause.message}; {cause.remedy}") if cause else None


def _unenrolled(f: Facts) -> Action | None:
    if f.targets or f.record.members or f.record.operation is None:
        return None
    return end(f, "no secret is enrolled for this account any longer", Ending.UNENROLLED)


def _unread(f: Facts) -> Action | None:
    """Fail if a secret cannot be read, except in a repair, which still helps."""
    operation = f.record.operation
    if operation is None or operation.purpose is Purpose.REPAIR:
        return None
    return undecided(f) or unread(f)


def _coalesce(f: Facts) -> Action | None:
    """Merge new requests for a rotation into the running one, which fulfils them."""
    operation = f.record.operation
    if operation is None or operation.purpose not in (Purpose.ROTATE, Purpose.EMERGENCY):
        return None
    joined = tuple(r for r in f.record.requests if r.kind is RequestKind.MANUAL)
    if not joined:
        return None
    keys = tuple(w.idempotency_key for w in joined if w.idempotency_key)
    operation = replace(
        operation,
        requests=(*operation.requests, *(w.id for w in joined if w.id not in operation.requests)),
        idempotency_keys=(*operation.idempotency_keys, *keys),
    )
    rest = tuple(w for w in f.record.requests if w not in joined)
    record = replace(f.record, operation=operation, requests=rest)
    return Action(ActionKind.MOVE, "merged into the running operation", record)
