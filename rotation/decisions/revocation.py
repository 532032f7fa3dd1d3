"""Phases REVOKE, PROVE and CLEAN: regenerate the old key, verify that it is refused, clean up.

"Revoked" needs proof by use. If nobody can try the old key, the ending is "not proven". Both need
that the slot does not hold a key that was ever published, by value and not by our record alone.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from ..domain import legacy
from ..domain.ids import TargetId
from ..domain.keys import Key, Slot
from ..domain.membership import has_key_shape
from ..domain.operation import Phase
from ..domain.policy import ProbePolicy
from ..domain.probing import ProbeResult
from .actions import Action, ActionKind, MissingFacts, enter, needs, retry_later, wait
from .facts import Facts
from .lifecycle import end
from .notifications import notify
from .overlaps import overlap_end
from .progress import event_data, step_back
from .regeneration import send

# Two readings of the account's keys this far apart show that a slot has a new value.
APART = timedelta(minutes=10)

_UNKNOWN = "the record was restored or edited, and no readable version holds the old key"


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
            return _recognise(f, operation.revoke)
        if f.now < overlap_end(f):
            return enter(f, Phase.OVERLAP, "the overlap starts again")
    return send(f, operation.revoke, Phase.PROVE)


def _recognise(f: Facts, slot: Slot) -> Action:
    """Decide by value whether the slot still holds the old key, which the record does not know.

    Somebody may have regenerated it, or restored or edited the record.
    """
    if f.versions is None:
        return needs(f, f"was the key in {slot} ever published?", MissingFacts(versions=True))
    operation, shown = f.operation, f.fingerprint(slot)
    if f.superseded_at(slot) is not None:
        known = replace(operation, retired=shown)
        return enter(f, Phase.OVERLAP, f"{slot} holds a key that may be in use", known)
    old = f.superseded_key if operation.retired is None else None
    if operation.retired or old:
        retired = old.fingerprint(f.record.salt) if old else operation.retired
        known = replace(operation, retired=retired)
        return enter(f, Phase.PROVE, f"{slot} was already regenerated", known)
    unknown = replace(operation, retired=shown, proof=f"{legacy.NOT_PROVEN}: {_UNKNOWN}")
    return enter(f, Phase.OVERLAP, f"nobody knows whether {slot} is old", unknown)


def prove(f: Facts) -> Action:
    """Try the old key until it is refused, or until it is certain that nobody can try it."""
    back = step_back(f)
    if back:
        return back
    old, live = f.retired_key, f.keys[f.operation.candidate]
    if f.operation.retired in [f.fingerprint(slot) for slot in Slot]:
        return _still_listed(f)
    if old is None:  # reads the versions first
        return _not_proven(f, "no readable version holds the old key")
    if old not in f.verdicts or live not in f.verdicts:
        missing = MissingFacts(probe=(old, live))
        return needs(f, "is the old key refused and the new one accepted?", missing)
    if not f.refused(old):
        return _not_refused(f, old, live)
    first = f.operation.first_success or f.now
    refused = replace(f.operation, successes=f.operation.successes + 1, first_success=first)
    needed = f.policy.probe_successes
    span = f.policy.probe_span if needed > 1 else timedelta()
    if refused.successes < needed or f.now < first + span:
        until = f.now + span / max(needed - 1, 1)
        reason = f"the old key was refused {refused.successes} of {needed} times"
        return wait(f, reason, until, replace(f.record, operation=refused))
    return _published_before(f) or _revoked(f)


def _still_listed(f: Facts) -> Action:
    """Read again, as a reading may be late; after a while the slot was never regenerated."""
    if f.now - f.operation.phase_since < APART:
        return retry_later(f, "ARM still lists the old key")
    return enter(f, Phase.REVOKE, "ARM still lists the old key, so it is regenerated")


def _not_refused(f: Facts, old: Key, live: Key) -> Action:
    """Say why the old key is not proven to be refused. Alert once after a while."""
    answer = f.verdicts[old]
    if answer.result is ProbeResult.REFUSED:
        detail = f.verdicts[live].detail
        reason = f"the probe accepts no current key, so it proves nothing: {detail}"
    else:
        reason = f"the old key is not refused yet: {answer.result}, {answer.detail}"
    waited = f.now - f.operation.phase_since
    if f.policy.probe is ProbePolicy.ACCEPT and not f.accepted(old) and waited >= APART:
        return _not_proven(f, reason)
    operation = replace(f.operation, successes=0, first_success=None)
    record = replace(f.record, operation=operation)
    if waited > f.policy.patience and not operation.alarmed:
        record = notify(record, f, "failed", event_data(f, error=reason, of="old-key-alive"))
        record = replace(record, operation=replace(operation, alarmed=True))
    return retry_later(replace(f, record=record), reason)


def _published_before(f: Facts) -> Action | None:
    """Go back if the slot holds a key that was published: then the record is wrong."""
    if f.versions is None:
        return needs(f, "was the slot's key ever published?", MissingFacts(versions=True))
    slot = f.operation.candidate.other
    if f.superseded_at(slot) is None:
        return None
    return enter(f, Phase.REVOKE, f"{slot} still holds a key that was published")


def _not_proven(f: Facts, why: str) -> Action:
    back = _published_before(f)
    if back:
        return back
    again = f.operation.phase_since + APART
    if f.now < again:
        return wait(f, f"{why}; {f.operation.candidate.other} is read once more", again)
    proof = f"{legacy.NOT_PROVEN}: {why}"
    return _over(f, "notProven", proof, proven=False)


def _revoked(f: Facts) -> Action:
    if f.operation.proof:  # it was not known which key to prove
        return _over(f, "notProven", f.operation.proof, proven=False)
    return _over(f, "revoked", legacy.REFUSED, proven=True)


def _over(f: Facts, event: str, proof: str, *, proven: bool) -> Action:
    data = event_data(f, slot=f.operation.candidate.other.value, proof=proof)
    record = notify(f.record, f, event, data)
    operation = replace(f.operation, proof=proof, proven=proven)
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
    shown = (*f.targets, *f.left_behind, *f.strays)
    latest = {(target.id, target.version) for target in shown}
    live = {f.keys.key1, f.keys.key2, *(target.value for target in shown)}
    return tuple(
        (version.target, version.version)
        for version in f.known_versions
        if version.value is not None
        and version.value not in live
        and has_key_shape(version.value, f.keys)
        and (version.target, version.version) not in latest
    )
