"""Holds: what may delay a step that is ready, and for how long. Pure.

A writer of one secret can delay the other secrets of its account only within this bound: the
spells of its holds are added up. Then that secret is left behind, and the others go on.
Emergencies and repairs know no holds.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain.errors import Permanent
from ..domain.operation import Phase, Purpose
from ..domain.record import Hold, Repair
from ..domain.targets import Target
from ..domain.window import Window
from . import births, due, schedule, values
from .actions import Action, MissingFacts, blocked, needs, wait
from .facts import Facts
from .notifications import notify
from .overlaps import overlap_end

# For each target and operation, and for each account and operation.
BOUND, ACCOUNT_BOUND = timedelta(days=7), timedelta(days=14)

# A key that is nearly too old shortens the bound, but not below this.
_LEAST = timedelta(days=1)

# A hold of the whole fleet lets these phases finish: they send no regenerate.
_UNDER_WAY = (Phase.VERIFY, Phase.PUBLISH, Phase.PROVE, Phase.CLEAN)

_PUBLISHED = (Phase.PUBLISH, Phase.OVERLAP, Phase.REVOKE, Phase.PROVE, Phase.CLEAN)


def counted(f: Facts) -> Facts:
    """Note which secrets hold the next step of scheduled work, from when it is ready."""
    names = _holding(f) if _is_scheduled(f) and is_ready(f) else frozenset()
    if not names and not f.record.held:
        return f
    everything = {*f.record.held, *names, *(("",) if names else ())}
    held = {
        name: f.record.held.get(name, Hold()).at(f.now, name in names or bool(names and not name))
        for name in sorted(everything)
    }
    return replace(f, record=replace(f.record, held=held))


def ends(f: Facts, target: Target) -> datetime:
    """Return when a hold by the target no longer counts, if it goes on until then."""
    spent, account = (f.record.held.get(name, Hold()) for name in (str(target.id), ""))
    left = BOUND - spent.total(f.now)
    old = f.record.operation.revoke if f.record.operation else f.live
    if old is not None:
        policy = f.effective_policy
        too_old = births.of(f, old) + policy.validity - policy.overlap
        left = min(left, max(too_old - f.now, _LEAST - spent.total(f.now)))
    return f.now + min(left, ACCOUNT_BOUND - account.total(f.now))


def counts(f: Facts, target: Target) -> bool:
    """Return whether a hold by the target still counts: not for too long, nor released."""
    member = f.record.members.get(str(target.id))
    return ends(f, target) > f.now and not (member and member.released)


def _is_scheduled(f: Facts) -> bool:
    operation = f.record.operation
    return operation is None or operation.purpose in (Purpose.ROTATE, Purpose.FINISH)


def is_ready(f: Facts) -> bool:
    """Return whether the next step is ready, but for what holds it."""
    if f.record.phase in (Phase.OVERLAP, Phase.REVOKE):
        return overlap_end(f) <= f.now
    if f.record.operation is not None or schedule.active_request(f):
        return True
    return not f.readable or (schedule.next_due(f)[0] <= f.now and not schedule.postpone(f))


def _holding(f: Facts) -> frozenset[str]:
    """Return the ids of the secrets that hold the next step."""
    hold = f.fleet_hold
    everything = hold and hold.is_on(f.now) and f.record.phase not in _UNDER_WAY
    held = [t for t in f.targets if everything or _is_held(f, t)]
    held += _withdrawn(f)
    if f.record.operation is None:
        held += [t for t in f.readable if _is_outside(f, t)]
        asking = [t for t in f.readable if t.enrolment.paused]
        held += asking if len(asking) < len(f.readable) else []
    return frozenset(str(target.id) for target in held)


def _withdrawn(f: Facts) -> list[Target]:
    """Return the secrets that show the key to regenerate next, though no longer bound."""
    operation = f.record.operation
    if operation is None:
        slot = f.live.other if f.live else None
    elif f.record.phase is Phase.REGENERATE:
        slot = operation.candidate
    else:
        slot = operation.revoke if f.record.phase in (Phase.OVERLAP, Phase.REVOKE) else None
    return [target for target in f.withdrawn if slot and f.slot_of(target) is slot]


def _is_outside(f: Facts, target: Target) -> bool:
    window = target.enrolment.window
    return window is not None and window.next_opening(f.now) > f.now


def without_left_behind(f: Facts) -> Facts:
    """Leave behind the secrets that held scheduled work too long."""
    if not _is_scheduled(f):
        return f
    held = tuple(t for t in f.targets if _is_held(f, t))
    left = tuple(t for t in held if _was_left(f, t) or not counts(f, t))
    rest = tuple(t for t in f.targets if t not in left)
    if not left or not _may_go_on(replace(f, targets=rest)):
        return f
    gone = {target.id for target in left}
    errors = {name: error for name, error in f.read_errors.items() if name not in gone}
    f = replace(f, targets=rest, left_behind=left, read_errors=errors)
    return _reported(f) if f.record.operation else f


def _may_go_on(f: Facts) -> bool:
    """Return whether a secret can be read and, once the new key is published, shows it."""
    if f.record.phase not in _PUBLISHED:
        return bool(f.readable)
    return bool(f.publishing(f.operation.candidate))


def _is_held(f: Facts, target: Target) -> bool:
    """Return whether the target cannot take part now, so that the account would wait for it."""
    if not target.readable:
        return True
    if f.record.phase in _PUBLISHED:
        return f.slot_of(target) is not f.operation.candidate and (
            f.record.phase is Phase.PUBLISH or is_resting(f, target) or _was_left(f, target)
        )
    if target in f.broken:
        return is_resting(f, target) or values.works(f, target)
    return target in f.unreadable or (is_astray(f, target) and is_resting(f, target))


def is_astray(f: Facts, target: Target) -> bool:
    """Return whether the target shows another key than the one that the account published."""
    slot = f.slot_of(target)
    return slot is not None and f.live is None and f.fingerprint(slot) != f.record.published


def _was_left(f: Facts, target: Target) -> bool:
    operation = f.record.operation
    return operation is not None and str(target.id) in operation.left_behind


def is_resting(f: Facts, target: Target) -> bool:
    """Return whether the target was overwritten so often that the next publish must wait."""
    until = resting_until(f, target)
    return until is not None and until > f.now


def resting_until(f: Facts, target: Target) -> datetime | None:
    """Return until when a target that somebody keeps overwriting is not published to."""
    name, operation = str(target.id), f.record.operation
    put = operation.puts.get(name) if operation else None
    counted = Repair(put.times - 1, put.created) if put else f.record.repairs.get(name)
    return values.repairable_from(counted)


def _reported(f: Facts) -> Facts:
    """Note which secrets are left behind; tell once of each."""
    operation, record = f.operation, f.record
    new = [t for t in f.left_behind if str(t.id) not in operation.left_behind]
    for target in new:
        error = f"{target.id}: left behind; it held the rotation for too long"
        data = {"account": str(record.account), "operation": operation.id, "error": error}
        record = notify(record, f, "failed", data | {"of": f"left-behind-{target.id.name}"})
    names = (*operation.left_behind, *(str(target.id) for target in new))
    said = {str(t.id): "left behind: the rotation went on without it" for t in f.left_behind}
    operation = replace(operation, left_behind=names)
    return replace(f, record=replace(record, operation=operation, notes={**record.notes, **said}))


def fleet(f: Facts) -> Action | None:
    """Hold scheduled work while a person holds that of the whole fleet, within the bounds.

    No secret expires because of it.
    """
    asked, hold = unread(f), f.fleet_hold
    if asked or hold is None or not hold.is_on(f.now) or not _is_scheduled(f):
        return asked
    overlap = f.effective_policy.overlap
    bound = max((ends(f, target) for target in f.targets), default=hold.until)
    until = min(hold.until, bound, _deadline(f) - overlap)
    return wait(f, hold.sentence, until) if until > f.now else None


def unread(f: Facts) -> Action | None:
    """Ask whether a person holds all scheduled work."""
    if not f.is_hold_unread or not _is_scheduled(f) or f.record.phase in _UNDER_WAY:
        return None
    return needs(f, "does a person hold all scheduled work?", MissingFacts(fleet_hold=True))


def paused(f: Facts) -> Action | None:
    """Hold a due rotation for a paused secret; without bound only if all of them are paused."""
    asking = [target for target in f.readable if target.enrolment.paused]
    everywhere = len(asking) == len(f.readable)
    if not everywhere:
        asking = [target for target in asking if counts(f, target)]
    if not asking:
        return None
    reason = f"{', '.join(t.id.name for t in asking)}: paused by its tag RotationPaused"
    if not everywhere:
        return blocked(f, reason, min(ends(f, target) for target in asking))
    return dataclasses.replace(blocked(f, reason), failure=_too_old(f, reason))


def _too_old(f: Facts, reason: str) -> Permanent | None:
    """Return an error, which alerts, once the paused account's key outlives its validity."""
    if f.live is None or births.of(f, f.live) + f.effective_policy.validity > f.now:
        return None
    remedy = "the key is older than its validity; resume one of the secrets"
    return Permanent(reason, code="PausedTooLong", remedy=remedy)


def outside_windows(f: Facts) -> Action | None:
    """Hold a due rotation until all windows are open, unless a secret expires before."""
    if schedule.active_request(f):
        return None
    asking = [target for target in f.readable if counts(f, target)]
    windows = tuple(dict.fromkeys(t.enrolment.window for t in asking if t.enrolment.window))
    until = _opening(windows, f.now)
    if until <= f.now or until >= _deadline(f):
        return None
    until = min([until, *(ends(f, target) for target in asking if _is_outside(f, target))])
    return wait(f, "outside the rotation window", until)


def _opening(windows: tuple[Window, ...], now: datetime) -> datetime:
    """Return when all windows are open; if they never are, when one of them is."""
    at = now
    for _ in range(14):
        opens = max((window.next_opening(at) for window in windows), default=at)
        if opens == at:
            break
        at = opens
    return at


def _deadline(f: Facts) -> datetime:
    expiries = (due.counting_expiry(schedule.dated(f, target)) for target in f.readable)
    return min((at for at in expiries if at), default=f.now + timedelta(days=30))
