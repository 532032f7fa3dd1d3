"""The phases of an emergency until its successor is proven. ``distribution`` has the next ones.

An emergency waits for nothing that only a person can change.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from ..domain.keys import Slot
from ..domain.operation import Operation, Phase
from ..domain.probing import ProbeResult
from . import distribution, leaks, proving
from .actions import Action, MissingFacts, enter, needs, wait
from .emergency import FRESH_KEY
from .facts import Facts
from .patience import LOOK, LOOK_LATER, held, is_forced, is_impatient
from .progress import why_verify
from .regeneration import send


def decide(f: Facts) -> Action:
    """Return the next action of a running emergency."""
    if f.record.blocked:  # by an earlier version
        f = replace(f, record=replace(f.record, blocked=None))
    return _PHASES[f.record.phase](f)


def _regenerate(f: Facts) -> Action:
    """Regenerate the spare, which is to succeed: it leaked too, or it does not work."""
    candidate, intent = f.operation.candidate, f.record.intent
    sent = intent is not None and intent.slot is candidate
    if sent or candidate in leaks.leaked_slots(f) or not f.emergencies:
        return send(f, candidate, Phase.VERIFY, _unguarded)
    verdict = f.verdicts.get(f.keys[candidate])
    if verdict is None:
        return needs(f, f"does {candidate} work?", MissingFacts(probe=(f.keys[candidate],)))
    if verdict.result is ProbeResult.REFUSED and f.operation.regenerated_at is None:
        return send(f, candidate, Phase.VERIFY, _unguarded)
    return enter(f, Phase.VERIFY, f"{candidate} was regenerated already")


def _unguarded(f: Facts, slot: Slot) -> Action | None:
    """Nothing holds it back: the key leaked, or it does not work."""
    return None


def _verify(f: Facts) -> Action:
    """Wait until the successor is accepted."""
    operation, candidate = f.operation, f.operation.candidate
    if operation.value != f.fingerprint(candidate):
        changed = replace(operation, value=f.fingerprint(candidate), unproven=False)
        return enter(f, Phase.VERIFY, why_verify(f), changed)
    until = f.quarantined_until(candidate)
    if until:
        reason = f"{candidate} is in quarantine: a delayed regenerate may still arrive"
        return held(f, reason, until, "it goes on automatically when the quarantine is over")
    trusted = f.trusted(f.keys[candidate])
    if trusted is None:
        return needs(f, f"does {candidate} work?", MissingFacts(probe=(f.keys[candidate],)))
    return _successful(f) if trusted else _unsuccessful(f, candidate)


def _successful(f: Facts) -> Action:
    operation = f.operation
    first, needed = operation.first_success or f.now, operation.successes_needed
    proven = replace(operation, successes=operation.successes + 1, first_success=first, tries=0)
    if proven.successes >= needed:
        return _ready(f, proven, f"{operation.candidate} works")
    until = f.now + f.policy.probe_span / (needed - 1)
    reason = f"{proven.successes} of {needed} successful probes of the new key"
    return wait(f, reason, until, replace(f.record, operation=proven))


def _ready(f: Facts, operation: Operation, reason: str) -> Action:
    expires = f.now + f.effective_policy.validity
    return enter(f, Phase.PUBLISH, reason, replace(operation, expires=expires, puts={}))


def _unsuccessful(f: Facts, candidate: Slot) -> Action:
    restarted = replace(f.operation, successes=0, first_success=None)
    f = replace(f, record=replace(f.record, operation=restarted))
    if f.verdicts[f.keys[candidate]].result is ProbeResult.REFUSED:
        return _refused(f, candidate)
    return _inconclusive(f, candidate)


def _refused(f: Facts, candidate: Slot) -> Action:
    """Wait: a refused successor is never published.

    One that the emergency neither made nor published may be regenerated after a while.
    """
    operation = f.operation
    if is_forced(f):
        without = replace(operation, without_successor=True)
        reason = f"{candidate} is refused; revoking without a successor, as a person asked"
        return enter(f, Phase.REVOKE, reason, without)
    since = max(operation.phase_since, f.record.quarantine.get(candidate, operation.phase_since))
    is_fresh = f.now - since < FRESH_KEY
    ours = operation.regenerated_at is not None or operation.puts
    if not is_fresh and not ours:
        return enter(f, Phase.REGENERATE, f"{candidate} does not work; regenerating it first")
    again = LOOK if is_fresh else LOOK_LATER
    return held(f, distribution.refusal(f, candidate), f.now + again, distribution.FORCE)


def _inconclusive(f: Facts, candidate: Slot) -> Action:
    """Publish a successor that no probe can prove, as not proven, once patience is over."""
    operation, verdict = f.operation, f.verdicts[f.keys[candidate]]
    detail = verdict.detail or (f.control.detail if f.control else "")
    reason = f"{candidate} cannot be verified: {detail}"
    if is_impatient(f) or f.now - operation.phase_since >= f.policy.emergency_patience:
        return _ready(f, replace(operation, unproven=True), f"{reason}; published as not proven")
    remedy = "it is published as not proven soon; --now does so at once"
    return held(f, reason, f.now + LOOK, remedy)


_PHASES: dict[Phase, Callable[[Facts], Action]] = {
    Phase.REGENERATE: _regenerate,
    Phase.VERIFY: _verify,
    Phase.PUBLISH: distribution.publish,
    Phase.OVERLAP: distribution.overlap,
    Phase.REVOKE: distribution.revoke,
    Phase.PROVE: proving.prove,
    Phase.CLEAN: proving.clean,
}
