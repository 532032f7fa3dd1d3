"""The end of the old key: revoke it, prove by use that it is dead, and clean up after it."""

from __future__ import annotations

from msgspec.structs import replace

from ..domain import legacy
from ..domain.model import Answer, TargetId
from ..domain.policy import ProbePolicy
from ..domain.record import Phase
from .actions import Action, Kind, Question, ask, move, pause, wait
from .facts import Facts
from .lifecycle import end, notify
from .progress import data, overlap_end, regress
from .regeneration import send


def revoke(f: Facts) -> Action:
    """Kill the old key, after everything was checked again in this very step."""
    operation = f.operation
    back = regress(f)
    if back:
        return back
    if operation.revoke is None:
        return end(f, "published")
    if f.record.intent is None:
        if f.fingerprint(operation.revoke) != operation.retired:
            return move(f, Phase.PROVE, f"{operation.revoke} was already regenerated")
        if f.now < overlap_end(f):
            return move(f, Phase.OVERLAP, "the overlap began again")
    return send(f, operation.revoke, Phase.PROVE)


def prove(f: Facts) -> Action:
    """The old key must be refused when used; nothing else ends a revocation."""
    back = regress(f)
    if back:
        return back
    operation = f.operation
    if f.old_key is None and f.versions is None:
        return ask(f, "what the old key was", Question(versions=True))
    if f.old_key is None:
        return _proven(f, "not proven by use: no readable version holds the old key")
    if f.keys.slot_of(f.old_key):
        return pause(f, "ARM still lists the old key")
    live, verdict = f.keys[operation.candidate], f.verdicts.get(f.old_key)
    if verdict is None or live not in f.verdicts:
        question = Question(probe=(f.old_key, live))
        return ask(f, "whether the old key is refused, and the new one is not", question)
    if verdict.answer is not Answer.REFUSED:
        return _still_alive(f, verdict.answer, verdict.detail)
    if not f.trusted(live):
        return pause(f, f"the probe does not accept the live key: {f.verdicts[live].detail}")
    first = operation.first_success or f.now
    refused = replace(operation, successes=operation.successes + 1, first_success=first)
    needed = f.policy.probe_successes
    if refused.successes < needed:
        until = f.now + f.policy.probe_span / max(needed - 1, 1)
        reason = f"the old key was refused {refused.successes} of {needed} times"
        return wait(f, reason, until, replace(f.record, operation=refused))
    return _proven(f, legacy.REFUSED, by_use=True)


def _still_alive(f: Facts, answer: Answer, detail: str) -> Action:
    if answer is Answer.INCONCLUSIVE and f.policy.probe is ProbePolicy.ACCEPT:
        return _proven(f, f"not proven by use: {detail}")
    operation = replace(f.operation, successes=0, first_success=None)
    record = replace(f.record, operation=operation)
    reason = f"the old key is not refused yet: {answer}, {detail}"
    if f.now - operation.phase_since > f.policy.patience and not operation.alarmed:
        record = notify(record, f, "failed", data(f, error=reason, of="old-key-alive"))
        record = replace(record, operation=replace(operation, alarmed=True))
    return pause(replace(f, record=record), reason)


def _proven(f: Facts, proof: str, *, by_use: bool = False) -> Action:
    operation = replace(f.operation, proof=proof, proven=by_use)
    slot = f.operation.revoke or f.operation.candidate.other
    record = notify(f.record, f, "revoked", data(f, slot=slot.value, proof=proof))
    return move(replace(f, record=record), Phase.CLEAN, proof, operation)


def clean(f: Facts) -> Action:
    """Disable versions that hold no live key; the latest of each target is never touched."""
    if f.versions is None:
        return ask(f, "which versions hold dead keys", Question(versions=True))
    stale = stale_versions(f)
    if stale:
        reason = f"disable {len(stale)} versions with dead keys"
        return Action(Kind.DISABLE, reason, f.record, versions=stale)
    return end(f, f.operation.proof or "clean")


def stale_versions(f: Facts) -> tuple[tuple[TargetId, str], ...]:
    latest = {(target.id, target.version) for target in f.targets}
    alive = {f.keys.key1, f.keys.key2, *(target.value for target in f.targets)}
    return tuple(
        (version.target, version.version)
        for version in f.versions or ()
        if version.value is not None
        and version.value not in alive
        and (version.target, version.version) not in latest
    )
