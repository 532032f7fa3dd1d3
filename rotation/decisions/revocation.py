"""Phases REVOKE, PROVE and CLEAN: regenerate the old key, verify that it is refused, clean up."""

from __future__ import annotations

from msgspec.structs import replace

from ..domain import legacy
from ..domain.ids import TargetId
from ..domain.membership import has_key_shape
from ..domain.operation import Phase
from ..domain.policy import ProbePolicy
from ..domain.probing import ProbeResult
from .actions import Action, ActionKind, MissingFacts, enter, needs, retry_later, wait
from .facts import Facts
from .lifecycle import end
from .notifications import notify
from .progress import event_data, overlap_end, step_back
from .regeneration import send


def revoke(f: Facts) -> Action:
    """Regenerate the old key after checking everything again in this step."""
    operation = f.operation
    back = step_back(f)
    if back:
        return back
    if operation.revoke is None:
        return end(f, "published")
    if f.record.intent is None:
        if f.fingerprint(operation.revoke) != operation.retired:
            return enter(f, Phase.PROVE, f"{operation.revoke} was already regenerated")
        if f.now < overlap_end(f):
            return enter(f, Phase.OVERLAP, "the overlap starts again")
    return send(f, operation.revoke, Phase.PROVE)


def prove(f: Facts) -> Action:
    """Probe the old key until it is refused; nothing else completes a revocation."""
    back = step_back(f)
    if back:
        return back
    operation = f.operation
    if f.retired_key is None and f.versions is None:
        return needs(f, "what was the old key?", MissingFacts(versions=True))
    if f.retired_key is None:
        return _proven(f, "not verified: no readable version holds the old key")
    if f.keys.slot_of(f.retired_key):
        return retry_later(f, "ARM still lists the old key")
    live, verdict = f.keys[operation.candidate], f.verdicts.get(f.retired_key)
    if verdict is None or live not in f.verdicts:
        missing = MissingFacts(probe=(f.retired_key, live))
        return needs(f, "is the old key refused and the new one accepted?", missing)
    if verdict.result is not ProbeResult.REFUSED:
        return _still_alive(f, verdict.result, verdict.detail)
    if not f.trusted(live):
        return retry_later(f, f"the probe does not accept the live key: {f.verdicts[live].detail}")
    first = operation.first_success or f.now
    refused = replace(operation, successes=operation.successes + 1, first_success=first)
    needed = f.policy.probe_successes
    if refused.successes < needed:
        until = f.now + f.policy.probe_span / max(needed - 1, 1)
        reason = f"the old key was refused {refused.successes} of {needed} times"
        return wait(f, reason, until, replace(f.record, operation=refused))
    return _proven(f, legacy.REFUSED, by_use=True)


def _still_alive(f: Facts, answer: ProbeResult, detail: str) -> Action:
    if answer is ProbeResult.INCONCLUSIVE and f.policy.probe is ProbePolicy.ACCEPT:
        return _proven(f, f"not verified: {detail}")
    operation = replace(f.operation, successes=0, first_success=None)
    record = replace(f.record, operation=operation)
    reason = f"the old key is not refused yet: {answer}, {detail}"
    if f.now - operation.phase_since > f.policy.patience and not operation.alarmed:
        record = notify(record, f, "failed", event_data(f, error=reason, of="old-key-alive"))
        record = replace(record, operation=replace(operation, alarmed=True))
    return retry_later(replace(f, record=record), reason)


def _proven(f: Facts, proof: str, *, by_use: bool = False) -> Action:
    operation = replace(f.operation, proof=proof, proven=by_use)
    slot = f.operation.revoke or f.operation.candidate.other
    record = notify(f.record, f, "revoked", event_data(f, slot=slot.value, proof=proof))
    return enter(replace(f, record=record), Phase.CLEAN, proof, operation)


def clean(f: Facts) -> Action:
    """Disable versions that hold neither key; never the latest version of a target."""
    if f.versions is None:
        return needs(f, "which versions hold old keys?", MissingFacts(versions=True))
    stale = stale_versions(f)
    if stale:
        reason = f"disable {len(stale)} versions with old keys"
        return Action(ActionKind.DISABLE, reason, f.record, versions=stale)
    return end(f, f.operation.proof or "clean")


def stale_versions(f: Facts) -> tuple[tuple[TargetId, str], ...]:
    """Return the readable versions that hold a revoked key and are not the latest.

    A value that cannot be a key is somebody else's, and stays enabled.
    """
    latest = {(target.id, target.version) for target in f.targets}
    live = {f.keys.key1, f.keys.key2, *(target.value for target in f.targets)}
    return tuple(
        (version.target, version.version)
        for version in f.versions or ()
        if version.value is not None
        and version.value not in live
        and has_key_shape(version.value, f.keys)
        and (version.target, version.version) not in latest
    )
