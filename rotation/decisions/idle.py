"""Policy for an idle account, in order of priority.

Broken consumers come first, then secrets that publish different keys, then due rotations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from msgspec.structs import replace

from ..domain.keys import Slot
from ..domain.operation import Phase, Purpose
from ..domain.request import RequestKind
from . import births, guards, holds, schedule, values
from .actions import Action, ActionKind, MissingFacts, blocked, idle, needs, undecided, unread, wait
from .facts import Facts
from .lifecycle import begin, new_operation
from .progress import target_names
from .revocation import stale_versions


def decide(f: Facts) -> Action:
    """Return the action of the first check that applies."""
    checks: tuple[Callable[[Facts], Action | None], ...] = (
        _lost_journal,
        _repair_dead,
        _repair_split,
        undecided,
        unread,
        _resting,
        _unknown_age,
        _all_paused,
        _rotate,
    )
    found = (check(f) for check in checks)
    return next((action for action in found if action), None) or _rest(f)


def _rest(f: Facts) -> Action:
    if not f.targets and f.record.notes:
        return blocked(f, "; ".join(f.record.notes.values()))
    if not f.targets:
        return idle(f, "no secret is enrolled for this account")
    f = births.noted(f)
    at, why = schedule.next_due(f)
    return idle(f, why, at)


def _lost_journal(f: Facts) -> Action | None:
    """Quarantine both keys if we published versions but the journal has no record of them."""
    if f.record.seen or not any(t.enrolment.rotation for t in f.targets):
        return None
    if f.versions is None:
        return needs(f, "what happened before the journal was lost?", MissingFacts(versions=True))
    until = f.now + f.policy.settle
    f = replace(f, record=replace(f.record, quarantine=dict.fromkeys(Slot, until)))
    return _unfinished(f) or Action(
        ActionKind.MOVE, "the journal was lost; both keys are in quarantine", f.record
    )


def _unfinished(f: Facts) -> Action | None:
    """Finish an interrupted rotation: revoke the spare key if it was published before."""
    if f.live is None:
        return None
    spare = f.live.other
    if f.superseded_at(spare) is None and not stale_versions(f):
        return None
    reason = "finishing a rotation whose journal was lost"
    operation = new_operation(f, Purpose.FINISH, f.live, reason, None)
    value, retired = f.fingerprint(f.live), f.fingerprint(spare)
    if f.superseded_at(spare) is None:
        return begin(f, Phase.CLEAN, replace(operation, value=value), reason)
    operation = replace(operation, value=value, revoke=spare, retired=retired)
    return begin(f, Phase.OVERLAP, operation, reason)


def _repair_dead(f: Facts) -> Action | None:
    """Repair targets whose value is neither key; their consumers are failing now."""
    broken = tuple(t for t in f.broken if not holds.is_resting(f, t))
    if not broken:
        return None
    names = target_names(broken)
    wanted = (*values.unproven(f, broken), f.keys.key1, f.keys.key2)
    if any(key not in f.verdicts for key in wanted):
        return needs(f, f"{names}: which keys work?", MissingFacts(probe=wanted))
    repairable = tuple(t for t in broken if values.overwritable(f, t))
    if repairable:
        reason = f"{target_names(repairable)}: published a key that no longer works"
        return _repair(f, _claimed_first(f), reason)
    if any(t.value and f.accepted(t.value) for t in broken):
        reason = f"{names}: the published value works but is neither of the account's keys"
        return blocked(f, reason, f.now + guards.SOON)
    reason = f"{names}: the published value is neither key, and no key can be verified"
    return blocked(f, reason, f.now + guards.SOON)


def _claimed_first(f: Facts) -> list[Slot]:
    """Prefer the slot that other secrets publish, then the slot claimed by a tag."""
    trimmed = [slot for t in f.broken if (slot := values.trimmed_slot(f, t))]
    shown = [*(slot for slot, _ in _publication_counts(f)), *trimmed]
    claims = [t.enrolment.claimed for t in f.broken if t.enrolment.claimed]
    return list(dict.fromkeys([*shown, *claims, *Slot]))


def _publication_counts(f: Facts) -> list[tuple[Slot, int]]:
    slots = [f.slot_of(target) for target in f.targets if target.enabled]
    return Counter(slot for slot in slots if slot).most_common()


def _repair_split(f: Facts) -> Action | None:
    """Move targets on different slots to the one that we published; regenerate nothing."""
    published = {f.slot_of(target) for target in f.targets} - {None}
    if len(published) < 2:
        return None
    wanted = (f.keys.key1, f.keys.key2)
    if any(key not in f.verdicts for key in wanted):
        return needs(
            f, "the secrets publish different keys; which keys work?", MissingFacts(probe=wanted)
        )
    order = _ours_first(f)
    moved = f.not_publishing(next(iter(_publishable(f, order)), order[0]))
    if all(holds.is_resting(f, target) for target in moved):
        return None
    return _repair(f, order, "the secrets published different keys")


def _resting(f: Facts) -> Action | None:
    """Wait for a secret that somebody keeps overwriting."""
    shown = [t for t in f.readable if t in f.broken or holds.is_astray(f, t)]
    found = tuple(t for t in shown if holds.is_resting(f, t))
    if not found:
        return None
    until = min(at for t in found if (at := holds.resting_until(f, t)))
    advice = "find out what writes this secret (Key Vault audit log, SecretSet)"
    return blocked(f, f"{target_names(found)}: overwritten repeatedly; {advice}", until)


def _ours_first(f: Facts) -> list[Slot]:
    """Prefer the slot that we published last. Without a record, each vault has one vote."""
    remembered = [slot for slot in Slot if f.fingerprint(slot) == f.record.published]
    votes = {(t.id.vault, f.slot_of(t)) for t in f.readable if t.enrolment.rotation}
    counted = Counter(slot for _, slot in sorted(votes, key=str) if slot).most_common()
    return list(dict.fromkeys([*remembered, *(slot for slot, _ in counted), *Slot]))


def _repair(f: Facts, order: list[Slot], reason: str) -> Action:
    candidates = _publishable(f, order)
    if not candidates:
        return wait(
            f, f"{reason}; none of the account's keys is known to work", f.now + guards.SOON
        )
    operation = replace(
        new_operation(f, Purpose.REPAIR, candidates[0], reason, None), successes_needed=1
    )
    return begin(f, Phase.VERIFY, operation, reason)


def _publishable(f: Facts, order: list[Slot]) -> list[Slot]:
    return [s for s in order if f.trusted(f.keys[s]) and not f.quarantined_until(s)]


def _unknown_age(f: Facts) -> Action | None:
    """Read the published key's birth, once, from the versions that hold it."""
    if births.is_known(f) or f.versions is not None:
        return None
    return needs(f, "how old is the published key?", MissingFacts(versions=True))


def _all_paused(f: Facts) -> Action | None:
    """Say that the account is paused, also before it is due."""
    all_of_them = all(target.enrolment.paused for target in f.readable)
    return holds.paused(f) if all_of_them else None


def _rotate(f: Facts) -> Action | None:
    """Begin a due rotation if no guard holds it back."""
    f, live = births.noted(f), f.live
    if live is None:
        return blocked(f, "every secret of this account is disabled") if f.targets else None
    at, why = schedule.next_due(f)
    if at > f.now:
        return None
    request = schedule.active_request(f)
    waiting = schedule.postpone(f) or holds.paused(f) or holds.outside_windows(f)
    waiting = waiting or (None if request else guards.refused_before(f))
    waiting = waiting or guards.before_regenerate(f, live.other)
    if waiting:
        return waiting
    operation = new_operation(f, Purpose.ROTATE, live.other, why, request)
    taken = tuple(r.id for r in f.record.requests if r.kind is RequestKind.MANUAL)
    operation = replace(
        operation,
        revoke=live,
        retired=f.fingerprint(live),
        requests=taken or operation.requests,
        left_behind=tuple(str(target.id) for target in f.left_behind),
    )
    return begin(f, Phase.REGENERATE, operation, why)
