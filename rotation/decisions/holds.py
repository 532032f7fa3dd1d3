"""Holds: what may delay a step that is ready, and for how long. Pure.

A writer of one secret can delay the other secrets of its account only within this bound. Then that
secret is left behind, and the others go on. Emergencies and repairs know no holds.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain.errors import Permanent
from ..domain.operation import Phase, Purpose
from ..domain.record import Repair
from ..domain.targets import Target
from ..domain.window import Window
from . import births, due, schedule, values
from .actions import Action, blocked, wait
from .facts import Facts
from .notifications import notify
from .overlaps import overlap_end

# For each target and operation, and for each account and operation.
BOUND, ACCOUNT_BOUND = timedelta(days=7), timedelta(days=14)

# A key that is nearly too old shortens the bound, but not below this.
_LEAST = timedelta(days=1)

_PUBLISHED = (Phase.PUBLISH, Phase.OVERLAP, Phase.REVOKE, Phase.PROVE, Phase.CLEAN)


def ends(f: Facts) -> datetime:
    """Return when holds on the next step no longer count."""
    at, operation = ready(f), f.record.operation
    bounds = [at + BOUND]
    if operation is not None:
        bounds.append(operation.started_at + operation.overlap + ACCOUNT_BOUND)
    old = operation.revoke if operation else f.live
    if old is not None:
        policy = f.effective_policy
        bounds.append(births.of(f, old) + policy.validity - policy.overlap)
    return max(min(bounds), at + _LEAST)


def ready(f: Facts) -> datetime:
    """Return when the next step became ready, but for what holds it."""
    if f.record.operation is None:
        return _due(f)
    if f.record.phase in (Phase.OVERLAP, Phase.REVOKE):
        return overlap_end(f)
    return f.operation.phase_since


def _due(f: Facts) -> datetime:
    asked = schedule.active_request(f)
    if asked:
        return asked.at
    return schedule.next_due(f)[0] if f.readable else f.now


def without_left_behind(f: Facts) -> Facts:
    """Leave behind the secrets that held the next step of scheduled work too long."""
    operation = f.record.operation
    if operation is not None and operation.purpose not in (Purpose.ROTATE, Purpose.FINISH):
        return f
    held = tuple(t for t in f.targets if _is_held(f, t))
    left = held if ends(f) <= f.now else tuple(t for t in held if _was_left(f, t))
    rest = tuple(t for t in f.targets if t not in left)
    if not left or not _may_go_on(replace(f, targets=rest)):
        return f
    gone = {target.id for target in left}
    errors = {name: error for name, error in f.read_errors.items() if name not in gone}
    f = replace(f, targets=rest, left_behind=left, read_errors=errors)
    return _reported(f) if operation else f


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
    return target in f.unreadable or (target in f.broken and is_resting(f, target))


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


def paused(f: Facts) -> Action | None:
    """Hold a due rotation for a paused secret; without bound only if all of them are paused."""
    names = f.effective_policy.paused
    everywhere = len(names) == len(f.readable)
    if not names or (not everywhere and ends(f) <= f.now):
        return None
    reason = f"{', '.join(names)}: paused by its tag RotationPaused"
    action = blocked(f, reason, None if everywhere else ends(f))
    return dataclasses.replace(action, failure=_too_old(f, reason)) if everywhere else action


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
    until = min(_opening(f.effective_policy.windows, f.now), ends(f))
    if until <= f.now or until >= _deadline(f):
        return None
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
