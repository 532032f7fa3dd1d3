"""Phases REGENERATE, VERIFY, PUBLISH and OVERLAP: one function for each, in their order.

Each uses current facts only and assumes nothing from the last visit.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from ..domain.operation import Phase, Purpose
from ..domain.probing import ProbeResult
from ..domain.targets import Target
from . import evidence, guards, holds, nudges, schedule, values
from .actions import (
    Action,
    ActionKind,
    MissingFacts,
    block,
    blocked,
    enter,
    needs,
    retry_later,
    wait,
)
from .facts import Facts
from .lifecycle import end, superseded
from .notifications import notify
from .overlaps import may_be_earlier, overlap_end
from .progress import (
    STALE_READS,
    distinguishable_at,
    event_data,
    is_stale,
    step_back,
    target_names,
    who_publishes,
    why_verify,
)
from .regeneration import not_listed, send

SOON = timedelta(minutes=1)


def regenerate(f: Facts) -> Action:
    """Regenerate the spare key."""
    candidate = f.operation.candidate
    if f.publishing_other(candidate.other):
        return superseded(f, "the secrets no longer publish the same working key")
    return send(f, candidate, Phase.VERIFY)


def verify(f: Facts) -> Action:
    """Probe the new key several times over a while; a random key must be refused."""
    operation = f.operation
    if f.broken and operation.overlap_until is None and operation.purpose is Purpose.ROTATE:
        return superseded(f, "consumers have no working key; repairing that first")
    if f.record.intent and not f.is_unlisted:
        return not_listed(f, f.record.intent.slot)
    fingerprint = f.fingerprint(operation.candidate)
    if operation.value != fingerprint:
        operation = replace(operation, value=fingerprint, puts={})
        return enter(f, Phase.VERIFY, why_verify(f), operation)
    until = f.quarantined_until(operation.candidate)
    if until:
        return wait(
            f,
            f"{operation.candidate} is in quarantine: a delayed regenerate may still arrive",
            until,
        )
    return _prove_candidate(f)


def _prove_candidate(f: Facts) -> Action:
    operation, key = f.operation, f.keys[f.operation.candidate]
    trusted = f.trusted(key)
    if trusted is None:
        return needs(f, f"does {operation.candidate} work?", MissingFacts(probe=(key,)))
    if not trusted:
        return _not_yet(f)
    first = operation.first_success or f.now
    proven = replace(operation, successes=operation.successes + 1, first_success=first, tries=0)
    span = f.policy.probe_span if operation.successes_needed > 1 else timedelta()
    if proven.successes < operation.successes_needed or f.now < first + span:
        until = f.now + span / max(operation.successes_needed - 1, 1)
        reason = (
            f"{proven.successes} of {operation.successes_needed} successful probes of the new key"
        )
        return wait(f, reason, until, replace(f.record, operation=proven))
    proven = replace(proven, expires=schedule.expiry(f, operation.candidate))
    return enter(f, Phase.PUBLISH, f"{operation.candidate} works", proven)


def _not_yet(f: Facts) -> Action:
    """Wait and retry; never regenerate again because a key is slow to work."""
    operation = f.operation
    failure = guards.probe_failure(f, operation.candidate)
    control_fails = f.control is not None and f.control.result is ProbeResult.ACCEPTED
    quarantine = f.record.quarantine.get(operation.candidate, operation.phase_since)
    since = max(operation.phase_since, quarantine)
    if control_fails or f.now - since > f.policy.patience:
        remedy = "nothing was published and the old key still works; resume or abandon"
        return block(f, "new-key-not-proven", failure.reason, remedy)
    restarted = replace(operation, successes=0, first_success=None)
    return retry_later(replace(f, record=replace(f.record, operation=restarted)), failure.reason)


def publish(f: Facts) -> Action:
    """Publish the verified key to every target that does not have it; the old key still works."""
    operation, candidate = f.operation, f.operation.candidate
    if f.fingerprint(candidate) != operation.value or f.quarantined_until(candidate):
        return enter(f, Phase.VERIFY, f"{candidate} changed before it was published")
    pending = f.not_publishing(candidate)
    unproven = values.unproven(f, pending)
    if unproven:
        reason = f"{target_names(pending)}: whether their values still work"
        return needs(f, reason, MissingFacts(probe=unproven))
    kept = tuple(t for t in pending if not values.overwritable(f, t))
    pending = tuple(t for t in pending if t not in kept)
    resting = tuple(t for t in pending if holds.is_resting(f, t))
    pending = tuple(t for t in pending if t not in resting)
    if not pending and resting and not f.publishing(candidate):
        return _overwritten(f, resting)
    if not pending and kept and operation.purpose is not Purpose.REPAIR:
        return _kept(f, kept)
    if not pending:
        return _published(f)
    if is_stale(f, pending) and operation.tries < STALE_READS:
        return retry_later(f, "the published version is not visible yet")
    until = distinguishable_at(f, pending)
    if until:
        return wait(
            f,
            "waiting a second so that the new version can be told apart from the previous one",
            until,
        )
    trusted = f.trusted(f.keys[candidate])
    if trusted is None:
        missing = MissingFacts(probe=(f.keys[candidate],))
        return needs(f, f"does {candidate} still work?", missing)
    if not trusted:
        return enter(f, Phase.VERIFY, f"{candidate} is no longer accepted")
    again = any(str(target.id) in operation.puts for target in pending)
    counted = replace(operation, overwritten=operation.overwritten + again)
    record = replace(f.record, operation=counted)
    ids = tuple(target.id for target in pending)
    return Action(ActionKind.PUBLISH, f"publish {candidate}", record, slot=candidate, targets=ids)


def _overwritten(f: Facts, resting: tuple[Target, ...]) -> Action:
    """Wait for a secret that somebody keeps overwriting, if no other one shows the new key."""
    until = min(at for t in resting if (at := holds.resting_until(f, t)))
    advice = "find out what writes this secret (Key Vault audit log, SecretSet)"
    return wait(f, f"{target_names(resting)}: overwritten repeatedly; {advice}", until)


def _kept(f: Facts, kept: tuple[Target, ...]) -> Action:
    """Wait for secrets whose value may be somebody else's; holds have a bound."""
    disabled = target_names(tuple(t for t in kept if not t.enabled))
    if disabled:
        reason = f"{disabled}: disabled before its value was read; enable it"
        return blocked(f, reason, f.now + SOON)
    return wait(f, f"{target_names(kept)}: it is not known whose value it shows", f.now + SOON)


def _published(f: Facts) -> Action:
    operation = f.operation
    done = who_publishes(f.targets, operation.candidate)
    record = replace(f.record, published_at=f.now, published=operation.value)
    record = nudges.ask(record, f, f.publishing(operation.candidate))
    data = event_data(f, slot=operation.candidate.value)
    if operation.purpose is Purpose.REPAIR:
        record = notify(record, f, "repaired", data | {"of": (operation.value or "")[:8]})
        repairs = {n: values.repaired(record.repairs.get(n), f.now) for n in operation.puts}
        recent = (*f.recent(record.repaired), f.now)
        record = replace(record, repaired=recent, repairs={**record.repairs, **repairs})
        return end(replace(f, record=record), f"repaired: {done}")
    if operation.overlap_until is None:
        record = notify(record, f, "rotated", data)
    until = overlap_end(f)
    following = replace(operation, overlap_until=until)
    reason = f"{done}; the old key works until {until:%F %H:%M:%SZ}"
    return enter(replace(f, record=record), Phase.OVERLAP, reason, following)


def overlap(f: Facts) -> Action:
    """Wait while both keys work. A change of a target starts the overlap again."""
    back = step_back(f)
    if back:
        return back
    operation = f.operation
    if operation.revoke is None:
        return end(f, "published")
    until = overlap_end(f)
    if f.now < until and may_be_earlier(f):
        return needs(f, "since when is the new key published?", MissingFacts(versions=True))
    if f.now < until:
        return wait(f, "overlap: waiting for consumers to switch to the new key", until)
    held = evidence.hold(f)
    return held or enter(f, Phase.REVOKE, f"the overlap is over{evidence.warning(f)}")
