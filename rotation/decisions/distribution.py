"""The phases PUBLISH, OVERLAP and REVOKE of an emergency.

A target that may heal gets ``ROTATION_EMERGENCY_PATIENCE``; then the emergency goes on without it.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from ..domain.keys import Slot
from ..domain.operation import Phase
from ..domain.probing import ProbeResult
from ..domain.targets import Target
from . import nudges, values
from .actions import Action, ActionKind, MissingFacts, enter, needs, wait
from .facts import Facts
from .notifications import notify
from .patience import (
    LOOK,
    LOOK_LATER,
    counted,
    held,
    is_forced,
    is_ours,
    is_tried_now,
    is_unseen,
    wanting,
)
from .progress import distinguishable_at, event_data, target_names, who_publishes
from .regeneration import send

FORCE = "it goes on once the key is accepted; --force revokes without a successor"


def publish(f: Facts) -> Action:
    """Publish the successor wherever that is possible."""
    operation, candidate = f.operation, f.operation.candidate
    if f.fingerprint(candidate) != operation.value or f.quarantined_until(candidate):
        return enter(f, Phase.VERIFY, f"{candidate} changed before it was published")
    pending = f.not_publishing(candidate)
    unproven = values.unproven(f, tuple(t for t in pending if is_ours(f, t) is None))
    if unproven:
        reason = f"{target_names(pending)}: whether their values still work"
        return needs(f, reason, MissingFacts(probe=unproven))
    if is_unseen(f, pending):
        return _not_visible(f)
    f = counted(f)
    tried = tuple(t for t in pending if is_tried_now(f, t))
    if tried:
        return _put(f, tried)
    waited = wanting(f)
    if waited:
        remedy = "the emergency soon goes on without it; --now does so at once"
        return held(f, _obstacles(f, waited), f.now + LOOK, remedy)
    return _published(f)


def _put(f: Facts, tried: tuple[Target, ...]) -> Action:
    candidate, key = f.operation.candidate, f.keys[f.operation.candidate]
    until = distinguishable_at(f, tried)
    if until:
        return wait(f, "waiting until the new version can be told from the previous one", until)
    trusted = f.trusted(key)
    if trusted is None:
        return needs(f, f"does {candidate} still work?", MissingFacts(probe=(key,)))
    refused = f.verdicts[key].result is ProbeResult.REFUSED
    if not trusted and (refused or not f.operation.unproven):
        return enter(f, Phase.VERIFY, f"{candidate} is no longer accepted")
    ids = tuple(target.id for target in tried)
    return Action(ActionKind.PUBLISH, f"publish {candidate}", f.record, slot=candidate, targets=ids)


def _not_visible(f: Facts) -> Action:
    tried = replace(f.operation, tries=f.operation.tries + 1)
    record = replace(f.record, operation=tried)
    return wait(f, "the published version is not visible yet", f.now + LOOK, record)


def _obstacles(f: Facts, targets: tuple[Target, ...]) -> str:
    attempts = f.operation.attempts
    named = (
        f"{t.id.name} ({a.code})" if (a := attempts.get(str(t.id))) else t.id.name for t in targets
    )
    return f"the new key cannot be published yet to {', '.join(named)}"


def _published(f: Facts) -> Action:
    operation = f.operation
    done = f.publishing(operation.candidate)
    record = replace(f.record, published_at=f.now, published=operation.value)
    record = nudges.ask(record, f, done)
    if operation.overlap_until is None:
        record = notify(record, f, "rotated", event_data(f, slot=operation.candidate.value))
    left = target_names(tuple(t for t in f.targets if t not in done))
    reason = who_publishes(done, operation.candidate)
    reason += f"; still without it: {left}" if left else ""
    following = replace(operation, overlap_until=_overlap_end(f))
    return enter(replace(f, record=record), Phase.OVERLAP, reason, following)


def overlap(f: Facts) -> Action:
    """Wait for the overlap, if a person asked for one."""
    back = step_back(f)
    if back:
        return back
    until = _overlap_end(f)
    if f.now < until:
        fixed = replace(f.record, operation=replace(f.operation, overlap_until=until))
        return wait(f, "overlap: waiting for consumers to switch to the new key", until, fixed)
    return enter(f, Phase.REVOKE, "the overlap is over")


def _overlap_end(f: Facts) -> datetime:
    """Return its end, counted from the last publish; targets in the way do not count.

    Once a person can see it, nothing that is written to a secret makes it later.
    """
    operation = f.operation
    if not f.operation.overlap:
        return f.now
    if operation.overlap_until:
        return operation.overlap_until
    done = [_published_at(f, target) for target in f.publishing(operation.candidate)]
    return max(done, default=operation.phase_since) + operation.overlap


def _published_at(f: Facts, target: Target) -> datetime:
    """Return when the target got the successor: a version that rewrites it later does not count."""
    put = f.operation.puts.get(str(target.id))
    return min(target.created, put.first or put.created) if put else target.created


def revoke(f: Facts) -> Action:
    """Regenerate the leaked key, if its slot still shows it."""
    back = step_back(f)
    if back:
        return back
    operation = f.operation
    if operation.revoke is None:
        return enter(f, Phase.PROVE, "no slot shows the leaked key")
    if f.record.intent is None:
        if f.fingerprint(operation.revoke) != operation.retired:
            return enter(f, Phase.PROVE, f"{operation.revoke} was already regenerated")
        if f.now < _overlap_end(f):
            return enter(f, Phase.OVERLAP, "the overlap is not over")
    return send(f, operation.revoke, Phase.PROVE, _needs_successor)


def _needs_successor(f: Facts, slot: Slot) -> Action | None:
    """Hold it while the other key is refused, unless nobody needs it or a person wants it so."""
    key = f.keys[slot.other]
    verdict = f.verdicts.get(key)
    if verdict is None:
        return needs(f, f"does {slot.other} work?", MissingFacts(probe=(key,)))
    if verdict.result is not ProbeResult.REFUSED or is_forced(f):
        return None
    if f.operation.without_successor or not any(t.readable for t in f.targets):
        return None
    return held(f, refusal(f, slot.other), f.now + LOOK_LATER, FORCE)


def refusal(f: Facts, slot: Slot) -> str:
    """Return the reason not to use a successor."""
    return f"the successor {slot} is refused: {f.verdicts[f.keys[slot]].detail}"


def step_back(f: Facts) -> Action | None:
    """Return to an earlier phase if someone changed the published key or a target."""
    operation, candidate = f.operation, f.operation.candidate
    if operation.without_successor:
        return None
    if f.fingerprint(candidate) != operation.value:
        again = replace(operation, successes_needed=1)
        return enter(f, Phase.VERIFY, f"{candidate} was regenerated by someone else", again)
    pending = wanting(f)
    if is_unseen(f, pending):
        return _not_visible(f)
    if pending:
        return enter(f, Phase.PUBLISH, f"{target_names(pending)}: without the new key")
    return None
