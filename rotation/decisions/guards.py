"""Preconditions of a regenerate. Each guard returns a blocking or waiting action, or None.

They run twice: before an operation begins, and in the step that sends the regenerate. Not for
an emergency.
"""

from __future__ import annotations

from datetime import timedelta

from ..domain.keys import Slot
from ..domain.operation import BY_POLICY, Purpose
from ..domain.policy import ProbePolicy
from ..domain.probing import ProbeResult
from ..domain.record import RECOVERY
from . import holds
from .actions import Action, MissingFacts, blocked, needs, wait
from .facts import Facts
from .overlaps import cached_until

RETRY = timedelta(minutes=15)

SOON = timedelta(seconds=30)


def before_regenerate(f: Facts, slot: Slot) -> Action | None:
    """Return why ``slot`` must not be regenerated now, or None if it may be."""
    return (
        holds.fleet(f)
        or _recovering(f)
        or _published(f, slot)
        or _withdrawn(f, slot)
        or _capped(f)
        or _cached(f, slot)
        or _unproven(f, slot.other)
    )


def _recovering(f: Facts) -> Action | None:
    """After a lost record, wait until secrets whose latest version has no tags were looked for."""
    began = f.record.began_at
    if began is None or f.record.searched or not f.record.is_young(f.now):
        return None
    reason = "the record is new: looking for secrets that an earlier one named"
    return wait(f, reason, began + RECOVERY)


def _published(f: Facts, slot: Slot) -> Action | None:
    """Never regenerate a slot that a target publishes, nor while a target is broken."""
    if f.unreadable:
        names = ", ".join(t.id.name for t in f.unreadable)
        return blocked(f, f"{names}: disabled, so its key is unknown; enable it or remove its tags")
    others = f.publishing_other(slot.other)
    if others:
        names = ", ".join(target.id.name for target in others)
        return wait(f, f"{names}: does not publish {slot.other}", f.now + SOON)
    return None


def _withdrawn(f: Facts, slot: Slot) -> Action | None:
    """Wait for the consumers of a secret that shows the key after its binding was withdrawn."""
    held = [t for t in f.withdrawn if f.slot_of(t) is slot and holds.counts(f, t)]
    if not held:
        return None
    names = ", ".join(target.id.name for target in held)
    until = min(holds.ends(f, target) for target in held)
    return wait(f, f"{names}: no longer bound, but still shows {slot}", until)


def _capped(f: Facts) -> Action | None:
    """Wait if the daily cap is reached: a circuit breaker against rotation loops."""
    recent = f.recent(f.record.regenerated)
    if len(recent) < f.policy.daily_cap:
        return None
    reason = f"{len(recent)} regenerations in 24 hours, which is the daily cap (ROTATION_DAILY_CAP)"
    return blocked(f, reason, min(recent) + timedelta(days=1))


def _cached(f: Facts, slot: Slot) -> Action | None:
    """Wait while consumers may still cache the slot's earlier value: for a whole overlap."""
    operation = f.record.operation
    overlap = operation.overlap if operation else f.effective_policy.overlap
    if all(target.created <= f.now - overlap for target in f.rereadable):
        return None
    if f.versions is None:
        return needs(f, "which versions may consumers still hold?", MissingFacts(versions=True))
    until = cached_until(f, slot, overlap)
    if until is None or until <= f.now:
        return None
    replaced = f"{until - overlap:%Y-%m-%d %H:%M:%SZ}"
    return wait(f, f"{slot} was published until {replaced}; its overlap is not over", until)


def _unproven(f: Facts, live: Slot) -> Action | None:
    """Stop unless the published key works and the probe can prove it."""
    key = f.keys[live]
    trusted = f.trusted(key)
    if trusted is None:
        return needs(f, f"does {live} work?", MissingFacts(probe=(key,)))
    if trusted:
        return None
    return probe_failure(f, live)


def refused_before(f: Facts) -> Action | None:
    """Hold a scheduled rotation if the last one cost a key that a policy let nobody publish.

    A person who requests a rotation says that the cause is repaired.
    """
    last = f.record.history[-1] if f.record.history else None
    if last is None or last.puts or last.purpose is not Purpose.ROTATE:
        return None
    refused = [name for name, attempt in last.attempts.items() if attempt.code == BY_POLICY]
    if not refused:
        return None
    reason = f"Azure Policy refused the last new version of {', '.join(sorted(refused))}"
    return blocked(f, f"{reason}; repair that (doctor names the policy), then request a rotation")


def probe_failure(f: Facts, slot: Slot) -> Action:
    """Return why the probe did not prove a key, and when to probe again."""
    control, verdict = f.control, f.verdicts[f.keys[slot]]
    if control is not None and control.result is ProbeResult.ACCEPTED:
        return blocked(f, f"the probe proves nothing: a random key was accepted ({control.detail})")
    if verdict.result is ProbeResult.REFUSED:
        return wait(f, f"{slot} is refused by the data plane: {verdict.detail}", f.now + SOON)
    detail = verdict.detail
    if control is not None and verdict.result is not ProbeResult.INCONCLUSIVE:
        detail = f"a random key was not refused: {control.detail}"
    lenient = f.policy.probe is ProbePolicy.ACCEPT
    advice = "" if lenient else "; or set ROTATION_PROBE=accept to rotate without this proof"
    again = max(f.probe_pause, SOON) if f.probe_pause else RETRY
    return blocked(f, f"{slot} cannot be verified: {detail}{advice}", f.now + again)
