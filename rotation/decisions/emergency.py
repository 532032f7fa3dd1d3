"""Handles a leaked key: the same phases with different parameters, planned from current facts.

An emergency takes over a running operation. The overlap is zero unless requested otherwise, so
consumers of the leaked key fail until they read the secret again, which is intended.
"""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

from msgspec.structs import replace

from ..domain import legacy
from ..domain.keys import Slot
from ..domain.operation import Operation, Phase, Purpose
from ..domain.request import Leaked, Request, RequestKind
from .actions import Action, ActionKind, MissingFacts, needs
from .facts import Facts
from .lifecycle import begin, new_operation, superseded, without_intent


def decide(f: Facts) -> Action | None:
    """Plan the first waiting emergency or merge it; return None if there is none."""
    waiting = [w for w in f.record.requests if w.kind is RequestKind.EMERGENCY]
    if not waiting or not f.targets:
        return None
    request = waiting[0]
    running = f.record.operation
    if running and _covers(running, f.record.phase, request):
        return _join(f, running, request)
    request = replace(request, leaked=_leaked(f, running, waiting))
    if running and running.purpose is Purpose.REPAIR and request.leaked is Leaked.UNKNOWN:
        return None
    if f.versions is None:
        return needs(f, "which keys were ever published?", MissingFacts(versions=True))
    planned = _plan(without_intent(f), request)
    if planned is None and f.record.blocked:
        return superseded(f, "in an emergency the secrets must publish the same key first")
    return planned


def _covers(running: Operation, phase: Phase, request: Request) -> bool:
    """Return whether the running operation revokes every leaked key without an overlap."""
    revoked = {running.revoke}
    both = running.leaked is Leaked.UNKNOWN
    if phase is Phase.REGENERATE or (both and phase is Phase.VERIFY):
        revoked.add(running.candidate)
    leaked = {request.leaked.slot} if request.leaked.slot else {*Slot}
    if running.revoke is None or not leaked <= revoked:
        return False
    return phase in (Phase.REVOKE, Phase.PROVE) or running.purpose is Purpose.EMERGENCY


def _leaked(f: Facts, running: Operation | None, waiting: list[Request]) -> Leaked:
    """Return the reported keys that still work; UNKNOWN means both."""
    leaked = reduce(_both, (request.leaked for request in waiting))
    if running is None or running.purpose is not Purpose.EMERGENCY or running.revoke is None:
        return leaked
    if f.fingerprint(running.revoke) != running.retired:
        return leaked
    return _both(running.leaked, leaked)


def _both(before: Leaked, now: Leaked) -> Leaked:
    return now if before in (Leaked.NONE, now) else Leaked.UNKNOWN


def _join(f: Facts, running: Operation, request: Request) -> Action:
    overlap = min(running.overlap, request.overlap or timedelta())
    joined = replace(
        running,
        purpose=Purpose.EMERGENCY,
        leaked=_both(running.leaked, request.leaked),
        overlap=overlap,
        asked_at=request.at if running.purpose is Purpose.ROTATE else running.asked_at,
        requests=(*running.requests, request.id),
        idempotency_keys=(*running.idempotency_keys, *filter(None, (request.idempotency_key,))),
    )
    joined = joined.noting(f.now, f"emergency requested by {request.requester}: {request.reason}")
    others = tuple(w for w in f.record.requests if w.id != request.id)
    record = replace(f.record, operation=joined, requests=others, blocked=None)
    return Action(ActionKind.MOVE, "the emergency was merged into the running operation", record)


def _plan(f: Facts, request: Request) -> Action | None:
    """Choose the key to publish, the key to revoke and the first phase."""
    leaked = request.leaked.slot or f.live
    if leaked is None:
        return None
    candidate = leaked.other
    if request.leaked is Leaked.UNKNOWN and f.publishing_other(leaked):
        reason = "the secrets must publish the same key before both keys are regenerated"
        repair = replace(new_operation(f, Purpose.REPAIR, leaked, reason, None), successes_needed=1)
        return begin(f, Phase.VERIFY, repair, reason)
    operation = replace(
        _merged(f, request, candidate),
        revoke=leaked,
        retired=f.fingerprint(leaked),
        overlap=request.overlap or timedelta(),
    )
    if not f.not_publishing(candidate):
        proven = replace(operation, value=f.fingerprint(candidate))
        return begin(f, Phase.REVOKE, proven, f"no secret publishes the leaked {leaked}")
    if _is_usable(f, request, candidate):
        direct = replace(operation, successes_needed=1)
        return begin(
            f, Phase.VERIFY, direct, f"{candidate} was never published; publishing it immediately"
        )
    return begin(
        f, Phase.REGENERATE, operation, f"{candidate} may be compromised; regenerating it first"
    )


def _merged(f: Facts, request: Request, candidate: Slot) -> Operation:
    """Return a new operation, or the running one turned into an emergency."""
    fresh = new_operation(f, Purpose.EMERGENCY, candidate, request.reason, request)
    running = f.record.operation
    if running is None:
        return fresh
    note = f"escalated to an emergency by {request.requester}: {request.reason}"
    return replace(
        fresh,
        id=running.id,
        started_at=running.started_at,
        began_in=legacy.began_in(running),
        regenerated_at=running.regenerated_at,
        requests=(*running.requests, request.id),
        idempotency_keys=(*running.idempotency_keys, *fresh.idempotency_keys),
        audit=running.noting(f.now, note).audit,
    )


def _is_usable(f: Facts, request: Request, candidate: Slot) -> bool:
    """Return whether the candidate was never published, or cannot be regenerated."""
    if request.leaked is Leaked.UNKNOWN:
        return False
    regenerable = not f.publishing_other(candidate.other) and not f.unreadable
    return f.superseded_at(candidate) is None or not regenerable
