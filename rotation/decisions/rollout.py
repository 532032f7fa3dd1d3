"""Decisions while an operation is under way: one function per phase, in their order.

Each reads its facts anew and trusts nothing that was true on the last visit.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from ..domain.model import Answer
from ..domain.record import Phase, Purpose
from . import guards as guard
from .actions import Action, Kind, Question, ask, move, pause, stop, wait
from .facts import Facts
from .lifecycle import end, notify, overtaken
from .progress import STALE_READS, data, distinct_from, is_stale, names, overlap_end, regress
from .regeneration import send

EVIDENCE_PAUSE = timedelta(minutes=15)

MAX_OVERWRITES = 3


def regenerate(f: Facts) -> Action:
    """Make the spare new."""
    candidate = f.operation.candidate
    if f.astray(candidate.other):
        return overtaken(f, "the secrets no longer publish one working key")
    return send(f, candidate, Phase.VERIFY)


def verify(f: Facts) -> Action:
    """Prove the new key by use, several times over a while, against a negative control."""
    operation = f.operation
    if f.dead and operation.overlap_until is None and operation.purpose is Purpose.ROTATE:
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
    if is_stale(f, pending) and operation.tries < STALE_READS:
        return pause(f, "what was published does not show yet")
    until = distinct_from(f, pending)
    if until:
        return wait(f, "a new version needs a second of its own to be told from the last", until)
    if operation.overwritten >= MAX_OVERWRITES:
        remedy = "find who writes this secret (Key Vault audit log, SecretSet), then resume"
        return stop(f, "another-writer", f"{names(pending)}: overwritten again and again", remedy)
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


def _published(f: Facts) -> Action:
    operation = f.operation
    shown = names(f.targets)
    record = replace(f.record, published_at=f.now)
    told = data(f, slot=operation.candidate.value)
    if operation.purpose is Purpose.REPAIR:
        record = notify(record, f, "repaired", told | {"of": (operation.value or "")[:8]})
        record = replace(record, repaired=(*f.recent(record.repaired), f.now))
        return end(replace(f, record=record), f"repaired: {shown} publish {operation.candidate}")
    if operation.overlap_until is None:
        record = notify(record, f, "rotated", told)
    until = overlap_end(f)
    following = replace(operation, overlap_until=until)
    reason = f"{shown} publish {operation.candidate}; the old key works until {until:%F %H:%M:%SZ}"
    return move(replace(f, record=record), Phase.OVERLAP, reason, following)


def overlap(f: Facts) -> Action:
    """Both keys work. Whatever changed on the way starts the overlap again."""
    back = regress(f)
    if back:
        return back
    operation = f.operation
    if operation.revoke is None:
        return end(f, "published")
    until = overlap_end(f)
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
