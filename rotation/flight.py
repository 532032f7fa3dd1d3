"""Decisions while an operation is under way: one function per phase, in their order.

Each reads its facts anew and trusts nothing that was true on the last visit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from . import guard
from .action import Action, Kind, Question, ask, move, pause, stop, wait
from .facts import Facts
from .model import Answer, ProbePolicy, Slot, Target, TargetId
from .operations import end, notify, overtaken, settled
from .record import Intent, Operation, Phase, Purpose

EVIDENCE_PAUSE = timedelta(minutes=15)
MAX_OVERWRITES = 3
STALE_READS = 5


def regenerate(f: Facts) -> Action:
    """Make the spare new."""
    candidate = f.operation.candidate
    if [target for target in f.pending(candidate.other) if target not in f.unseen]:
        return overtaken(f, "the secrets no longer publish one working key")
    return _send(f, candidate, Phase.VERIFY)


def verify(f: Facts) -> Action:
    """Prove the new key by use, several times over a while, against a negative control."""
    operation = f.operation
    if f.dead and operation.overlap_until is None and operation.purpose is not Purpose.REPAIR:
        return overtaken(f, "consumers are down and are helped first")
    fingerprint = f.fingerprint(operation.candidate)
    if operation.value != fingerprint:
        operation = replace(operation, value=fingerprint)
        return move(f, Phase.VERIFY, f"{operation.candidate} has a new value", operation)
    until = f.quarantined_until(operation.candidate)
    if until:
        return wait(f, f"{operation.candidate} is in quarantine: a request may be late", until)
    return _prove_candidate(f)


def _prove_candidate(f: Facts) -> Action:
    operation, key = f.operation, f.keys[f.operation.candidate]
    trusted = f.trusted(key)
    if trusted is None:
        return ask(f, f"whether {operation.candidate} works", Question(probe=(key,)))
    if not trusted:
        return _not_yet(f)
    first = operation.first_success or f.now
    proven = replace(operation, successes=operation.successes + 1, first_success=first, tries=0)
    span = f.policy.probe_span if operation.successes_needed > 1 else timedelta()
    if proven.successes < operation.successes_needed or f.now < first + span:
        until = f.now + span / max(operation.successes_needed - 1, 1)
        reason = f"{proven.successes} of {operation.successes_needed} proofs of the new key"
        return wait(f, reason, until, replace(f.record, operation=proven))
    proven = replace(proven, expires=f.now + f.terms.validity, puts={})
    return move(f, Phase.PUBLISH, f"{operation.candidate} is proven", proven)


def _not_yet(f: Facts) -> Action:
    """Come back; never regenerate again for a key that is only late."""
    operation = f.operation
    failure = guard.probe_failure(f, operation.candidate)
    control_fails = f.control is not None and f.control.answer is Answer.ACCEPTED
    quarantine = f.record.quarantine.get(operation.candidate, operation.phase_since)
    since = max(operation.phase_since, quarantine)
    if control_fails or f.now - since > f.policy.patience:
        remedy = "nothing was published, the old key works; then resume or abandon"
        return stop(f, "new-key-not-proven", failure.reason, remedy)
    restarted = replace(operation, successes=0, first_success=None)
    return pause(replace(f, record=replace(f.record, operation=restarted)), failure.reason)


def publish(f: Facts) -> Action:
    """Put the proven key into every target that does not have it; the old key still works."""
    operation, candidate = f.operation, f.operation.candidate
    if f.fingerprint(candidate) != operation.value or f.quarantined_until(candidate):
        return move(f, Phase.VERIFY, f"{candidate} changed before it was published")
    pending = f.pending(candidate)
    if not pending:
        return _published(f)
    if _is_stale(f, pending) and operation.tries < STALE_READS:
        return pause(f, "what was published does not show yet")
    if operation.overwritten >= MAX_OVERWRITES:
        remedy = "find who writes this secret (Key Vault audit log, SecretSet), then resume"
        return stop(f, "another-writer", f"{_names(pending)}: overwritten again and again", remedy)
    trusted = f.trusted(f.keys[candidate])
    if trusted is None:
        question = Question(probe=(f.keys[candidate],))
        return ask(f, f"whether {candidate} still works", question)
    if not trusted:
        return move(f, Phase.VERIFY, f"{candidate} is no longer accepted")
    again = any(str(target.id) in operation.puts for target in pending)
    counted = replace(operation, overwritten=operation.overwritten + again)
    record = replace(f.record, operation=counted)
    ids = tuple(target.id for target in pending)
    return Action(Kind.PUBLISH, f"publish {candidate}", record, slot=candidate, targets=ids)


def _is_stale(f: Facts, pending: tuple[Target, ...]) -> bool:
    """An answer older than our own write is late, not somebody else's change."""
    puts = f.operation.puts
    return any(t.created < puts[str(t.id)].created for t in pending if str(t.id) in puts)


def _names(targets: tuple[Target, ...]) -> str:
    return ", ".join(target.id.name for target in targets)


def _published(f: Facts) -> Action:
    operation = f.operation
    names = _names(f.targets)
    record = replace(f.record, published_at=f.now)
    data = _data(f, slot=operation.candidate.value)
    if operation.purpose is Purpose.REPAIR:
        record = notify(record, f, "repaired", data | {"of": (operation.value or "")[:8]})
        record = replace(record, repaired=(*f.recent(record.repaired), f.now))
        return end(replace(f, record=record), f"repaired: {names} publish {operation.candidate}")
    if operation.overlap_until is None:
        record = notify(record, f, "rotated", data)
    until = _overlap_end(f, operation)
    following = replace(operation, overlap_until=until)
    reason = f"{names} publish {operation.candidate}; the old key works until {until:%F %H:%M:%SZ}"
    return move(replace(f, record=record), Phase.OVERLAP, reason, following)


def _overlap_end(f: Facts, operation: Operation) -> datetime:
    return max(target.created for target in f.targets) + operation.overlap


def overlap(f: Facts) -> Action:
    """Both keys work. Whatever changed on the way starts the overlap again."""
    regress = _regress(f)
    if regress:
        return regress
    operation = f.operation
    if operation.revoke is None:
        return end(f, "published")
    until = _overlap_end(f, operation)
    if f.now < until:
        return wait(f, "overlap: consumers still move to the new key", until)
    if operation.purpose is Purpose.EMERGENCY:
        return move(f, Phase.REVOKE, "the overlap is over")
    if f.laggards is None:
        return ask(f, "who still reads the old version", Question(laggards=True))
    if f.laggards:
        return wait(
            f, f"not seen on the new version: {', '.join(f.laggards)}", f.now + EVIDENCE_PAUSE
        )
    return move(f, Phase.REVOKE, "the overlap is over")


def _regress(f: Facts) -> Action | None:
    """Back, where the published key or what the targets publish was changed by somebody."""
    operation, candidate = f.operation, f.operation.candidate
    if f.fingerprint(candidate) != operation.value:
        again = replace(operation, successes_needed=1)
        return move(f, Phase.VERIFY, f"{candidate} was regenerated by somebody else", again)
    pending = f.pending(candidate)
    if pending and _is_stale(f, pending) and operation.tries < STALE_READS:
        return pause(f, "what was published does not show yet")
    if pending:
        return move(f, Phase.PUBLISH, f"{_names(pending)}: changed by somebody else")
    return None


def revoke(f: Facts) -> Action:
    """Kill the old key, after everything was checked again in this very step."""
    operation = f.operation
    regress = _regress(f)
    if regress:
        return regress
    if operation.revoke is None:
        return end(f, "published")
    if f.record.intent is None:
        if f.fingerprint(operation.revoke) != operation.retired:
            return move(f, Phase.PROVE, f"{operation.revoke} was already regenerated")
        if f.now < _overlap_end(f, operation):
            return move(f, Phase.OVERLAP, "the overlap began again")
    return _send(f, operation.revoke, Phase.PROVE)


def _send(f: Facts, slot: Slot, following: Phase) -> Action:
    """Regenerate once: reconcile what was sent before, check the guard, store the intent."""
    intent = f.record.intent
    if intent is not None and intent.slot is slot and f.fingerprint(slot) != intent.before:
        adopted = replace(f.operation, value=f.fingerprint(f.operation.candidate))
        return move(settled(f), following, f"{slot} has a new value", adopted)
    if intent is not None and intent.slot is slot and intent.answered:
        return _without_effect(f, slot)
    f = settled(f)
    refusal = guard.before_regenerate(f, slot)
    if refusal is not None:
        return refusal
    issued = Intent(_intent_id(f), slot, f.fingerprint(slot), f.now)
    recent = (*f.recent(f.record.regenerated), f.now)
    operation = f.operation.noting(f.now, f"regenerate {slot}")
    record = replace(f.record, intent=issued, regenerated=recent, operation=operation)
    return Action(Kind.SEND, f"regenerate {slot}", record, slot=slot)


def _intent_id(f: Facts) -> str:
    return f"{f.operation.id}-{f.operation.phase_since.timestamp():.0f}-{f.now.timestamp():.6f}"


def _without_effect(f: Facts, slot: Slot) -> Action:
    """ARM said yes and still lists the old key: stale for a while, a fault after that."""
    reason = f"{slot} was regenerated, but ARM still lists the old key"
    if f.now - f.operation.phase_since > f.policy.patience:
        remedy = "look at the account's activity log; then resume or abandon"
        return stop(f, "no-effect", reason, remedy)
    return pause(f, reason)


def prove(f: Facts) -> Action:
    """The old key must be refused when used; nothing else ends a revocation."""
    regress = _regress(f)
    if regress:
        return regress
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
    return _proven(f, "the old key is refused")


def _still_alive(f: Facts, answer: Answer, detail: str) -> Action:
    if answer is Answer.INCONCLUSIVE and f.policy.probe is ProbePolicy.ACCEPT:
        return _proven(f, f"not proven by use: {detail}")
    operation = replace(f.operation, successes=0, first_success=None)
    record = replace(f.record, operation=operation)
    reason = f"the old key is not refused yet: {answer}, {detail}"
    if f.now - operation.phase_since > f.policy.patience and not operation.alarmed:
        record = notify(record, f, "failed", _data(f, error=reason, of="old-key-alive"))
        record = replace(record, operation=replace(operation, alarmed=True))
    return pause(replace(f, record=record), reason)


def _proven(f: Facts, proof: str) -> Action:
    operation = replace(f.operation, proof=proof)
    slot = f.operation.revoke or f.operation.candidate.other
    record = replace(f.record, fresh=f.fingerprint(slot))
    record = notify(record, f, "revoked", _data(f, slot=slot.value, proof=proof))
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


def _data(f: Facts, **more: str) -> dict[str, str]:
    operation = f.operation
    return {
        "account": str(f.record.account),
        "operation": operation.id,
        "purpose": operation.purpose.value,
        "reason": operation.reason,
        **more,
    }
