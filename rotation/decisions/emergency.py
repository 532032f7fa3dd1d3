"""Plans what kills a leaked key: the same phases with different rules, from current facts.

An emergency is about values. What is leaked is decided by which slots still show a pinned value,
not by the slot that was named. It takes over a running operation. The overlap is zero unless
requested otherwise, so consumers of the leaked key fail until they read the secret again, which is
intended.
"""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

from msgspec.structs import replace

from ..domain import legacy
from ..domain.keys import Slot
from ..domain.operation import Operation, Phase, Purpose
from ..domain.probing import ProbeResult
from ..domain.request import Leaked, Request, RequestKind
from . import leaks, patience
from .actions import Action, ActionKind, MissingFacts, needs
from .facts import Facts
from .lifecycle import begin, new_operation, without_intent
from .patience import LOOK, LOOK_LATER, held, is_impatient

# After a regenerate ARM may still list the old key for a moment.
STALE_LISTING = timedelta(minutes=1)

# A key that was just made may take this long until it is accepted.
FRESH_KEY = timedelta(minutes=10)

_UNTIL_REVOKED = (Phase.REGENERATE, Phase.VERIFY, Phase.PUBLISH, Phase.OVERLAP, Phase.REVOKE)


def decide(f: Facts) -> Action | None:
    """Plan what the open emergencies need, or merge them; None if the operation goes on."""
    waiting = _waiting(f)
    running = f.record.operation
    responding = running is not None and running.purpose is Purpose.EMERGENCY
    if not waiting and not responding:
        return None
    if f.is_blind and all(e.bulk and not e.blind for e in f.leaks):
        remedy = "correct the service's access to the vaults, or repeat the request with --blind"
        why = "no vault can be listed and no secret can be read"
        return held(f, why, f.now + LOOK_LATER, remedy)
    left = leaks.leaked_slots(f)
    revoking = responding or f.record.phase in (Phase.REVOKE, Phase.PROVE)
    if running and revoking and left <= _handled(f, running):
        return _join(f, running, waiting[0]) if waiting else None
    if _is_listing_stale(f):
        remedy = "the next reading should show it"
        return held(f, "ARM still lists a key that was just regenerated", f.now + LOOK, remedy)
    request = waiting[0] if waiting else _again(f, f.operation)
    return _plan(without_intent(f), request, left)


def _is_listing_stale(f: Facts) -> bool:
    """Return whether ARM confirmed a regenerate just now, but still lists the old key."""
    intent = f.record.intent
    if intent is None or not intent.answered or f.now - intent.issued_at >= STALE_LISTING:
        return False
    return f.fingerprint(intent.slot) == intent.before


def _waiting(f: Facts) -> list[Request]:
    """Return the emergencies that wait, without those that a person must confirm first."""
    ready = {e.id for e in f.leaks}
    unready = {e.id for e in f.emergencies} - ready
    asked = [w for w in f.record.requests if w.kind is RequestKind.EMERGENCY]
    return [w for w in asked if w.id not in unready]


def _handled(f: Facts, running: Operation) -> frozenset[Slot]:
    """Return the slots whose present value the running operation is about to replace."""
    phase, handled = f.record.phase, set[Slot]()
    revoke = running.revoke
    if revoke and phase in _UNTIL_REVOKED and running.retired == f.fingerprint(revoke):
        handled.add(revoke)
    if phase is Phase.REGENERATE:
        handled.add(running.candidate)
    if revoke and phase is Phase.PROVE and f.now - running.phase_since < STALE_LISTING:
        handled.add(revoke)
    return frozenset(handled)


def _again(f: Facts, running: Operation) -> Request:
    """Return the request of a running emergency whose plan no longer fits the facts."""
    return Request(
        id=running.id,
        kind=RequestKind.EMERGENCY,
        reason=running.reason,
        requester=running.requester,
        at=running.asked_at or running.started_at,
        leaked=running.leaked,
        overlap=running.overlap,
        role=running.role,
        request_id=running.request_id,
    )


def _both(before: Leaked, now: Leaked) -> Leaked:
    return now if before in (Leaked.NONE, now) else Leaked.UNKNOWN


def _join(f: Facts, running: Operation, request: Request) -> Action:
    overlap, until = min(running.overlap, request.overlap or timedelta()), running.overlap_until
    joined = replace(
        running,
        purpose=Purpose.EMERGENCY,
        leaked=_both(running.leaked, request.leaked),
        overlap=overlap,
        overlap_until=until - running.overlap + overlap if until else None,
        asked_at=request.at if running.purpose is Purpose.ROTATE else running.asked_at,
        requests=(*running.requests, request.id),
        idempotency_keys=(*running.idempotency_keys, *filter(None, (request.idempotency_key,))),
    )
    joined = joined.noting(f.now, f"emergency requested by {request.requester}: {request.reason}")
    others = tuple(w for w in f.record.requests if w.id != request.id)
    record = replace(f.record, operation=joined, requests=others, blocked=None)
    return Action(ActionKind.MOVE, "the emergency was merged into the running operation", record)


def _plan(f: Facts, request: Request, left: frozenset[Slot]) -> Action:
    """Choose the key to publish, the key to revoke and the first phase."""
    if not left:
        return _only_prove(f, request)
    waiting = _unread(f) if len(left) > 1 else None
    if waiting:
        return waiting
    leaked = _least_needed(f).other if len(left) > 1 else next(iter(left))
    candidate = leaked.other
    operation = replace(
        _merged(f, request, candidate), revoke=leaked, retired=f.fingerprint(leaked)
    )
    if candidate in left:
        return begin(f, Phase.REGENERATE, operation, f"{candidate} leaked too; regenerating it")
    if not f.not_publishing(candidate):
        proven = replace(operation, value=f.fingerprint(candidate))
        return begin(f, Phase.REVOKE, proven, f"no secret publishes the leaked {leaked}")
    return _with_successor(f, operation)


def _unread(f: Facts) -> Action | None:
    """Hold it while nothing tells what a secret publishes that may soon be read: that key is last.

    So it is if the record was lost. Without it, the published key may be regenerated first.
    """
    secrets, begun = patience.unread(f), [e.begun_at for e in f.leaks if e.begun_at]
    is_over = not begun or f.now - min(begun) >= f.policy.emergency_patience
    if not secrets or is_over or is_impatient(f):
        return None
    reason = f"{', '.join(t.name for t in secrets)}: cannot be read, so its key is not known"
    remedy = "the emergency soon goes on without it; --now does so at once"
    return held(f, reason, f.now + LOOK, remedy)


def _with_successor(f: Facts, operation: Operation) -> Action:
    """Use the other slot's key as it is, even if it was published before, if it works."""
    candidate = operation.candidate
    verdict = f.verdicts.get(f.keys[candidate])
    if verdict is None:
        missing = MissingFacts(probe=(f.keys[candidate],))
        return needs(f, f"does {candidate} work?", missing)
    if verdict.result is ProbeResult.REFUSED and not _is_fresh(f, candidate):
        why = f"{candidate} does not work; regenerating it first"
        return begin(f, Phase.REGENERATE, operation, why)
    direct = replace(operation, successes_needed=1)
    return begin(f, Phase.VERIFY, direct, f"publishing {candidate} as it is")


def _is_fresh(f: Facts, slot: Slot) -> bool:
    """Return whether the slot's key was made just now, so that it may not be accepted yet."""
    if f.quarantined_until(slot) or _is_made_by_others(f, slot):
        return True
    running = f.record.operation
    made = running.regenerated_at if running and running.candidate is slot else None
    return made is not None and f.now - made < FRESH_KEY


def _is_made_by_others(f: Facts, slot: Slot) -> bool:
    """Return whether somebody else published the slot's key just now, perhaps to help.

    Its consumers would lose it. Rewriting it again and again gains no time.
    """
    if any(e.begun_at and f.now - e.begun_at >= 2 * FRESH_KEY for e in f.leaks):
        return False
    return any(f.now - target.created < FRESH_KEY for target in f.publishing(slot))


def _least_needed(f: Facts) -> Slot:
    """Return the slot that fewer secrets publish; else the one that we did not publish last."""
    one, two = (len(f.publishing(slot)) for slot in Slot)
    if one == two:
        return _not_published_last(f)
    return Slot.KEY1 if one < two else Slot.KEY2


def _not_published_last(f: Facts) -> Slot:
    """Return the other slot than our last publish; the second one if nothing tells.

    The secrets may be hidden just now. If the record's fingerprints are of another salt, or that
    key was replaced, its operations tell; without any, the tags of disabled secrets claim it.
    """
    shown = next((slot for slot in Slot if f.fingerprint(slot) == f.record.published), None)
    if shown:
        return shown.other
    operations = (f.record.operation, *reversed(f.record.history))
    last = next((each for each in operations if each and each.puts), None)
    claimed = {t.enrolment.claimed for t in f.targets} - {None}
    found = last.candidate if last else claimed.pop() if len(claimed) == 1 else None
    return found.other if found else Slot.KEY2


def _only_prove(f: Facts, request: Request) -> Action:
    """No slot shows a leaked value any longer: whether each is refused remains to be proven."""
    candidate = f.live or _least_needed(f).other
    operation = replace(
        _merged(f, request, candidate), value=f.fingerprint(candidate), successes_needed=1
    )
    return begin(f, Phase.PROVE, operation, "the leaked key is no longer shown; proving it")


def _merged(f: Facts, request: Request, candidate: Slot) -> Operation:
    """Return a new operation, or the running one turned into an emergency."""
    leaked = reduce(_both, (e.leaked for e in f.leaks), request.leaked)
    fresh = new_operation(f, Purpose.EMERGENCY, candidate, request.reason, request)
    fresh = replace(fresh, overlap=request.overlap or timedelta(), leaked=leaked)
    running = f.record.operation
    if running is None:
        return fresh
    note = f"escalated to an emergency by {request.requester}: {request.reason}"
    others = tuple(one for one in fresh.requests if one not in running.requests)
    return replace(
        fresh,
        id=running.id,
        started_at=running.started_at,
        began_in=legacy.began_in(running),
        regenerated_at=running.regenerated_at,
        attempts=running.attempts if running.candidate is candidate else {},
        requests=(*running.requests, *others),
        idempotency_keys=(*running.idempotency_keys, *fresh.idempotency_keys),
        audit=running.noting(f.now, note).audit,
    )
