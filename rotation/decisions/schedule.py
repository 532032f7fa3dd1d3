"""Schedule: the due time of a rotation, and its delays. Not for emergencies and repairs."""

from __future__ import annotations

from datetime import datetime

from ..domain.keys import Slot
from ..domain.request import Request, RequestKind
from ..domain.targets import Target
from . import births, due
from .actions import Action, wait
from .due import Dated
from .facts import Facts


def next_due(f: Facts) -> tuple[datetime, str]:
    """Return when the account is due and why: now if requested, else for its earliest target."""
    asked = active_request(f)
    if asked:
        return f.now, asked.reason
    at, target = min(((due.due_at(dated(f, t)), t) for t in f.readable), key=lambda pair: pair[0])
    why = _why(f, target)
    return at, f"next rotation {at:%F}; {why}" if at > f.now and target.expires else why


def dated(f: Facts, target: Target) -> Dated:
    """Return a target with all that its due date depends on."""
    birth = births.of(f, f.live) if f.live else None
    return Dated(target.id, target.enrolment, target.expires, birth, f.record, f.policy)


def _why(f: Facts, target: Target) -> str:
    name, birth = target.id.name, dated(f, target).birth
    if target.expires is None:
        return f"{name} has no expiry"
    if due.counting_expiry(dated(f, target)) is None and birth:
        return f"the key in {name} dates from {birth:%F}"
    return f"{name} expires {target.expires:%F}"


def expiry(f: Facts, slot: Slot) -> datetime:
    """Return the expiry to write with a slot's key, never so soon that it starts the next one."""
    least = f.now + due.APART + f.effective_policy.overlap
    return max(births.of(f, slot) + f.effective_policy.validity, least)


def active_request(f: Facts) -> Request | None:
    """Return the first manual request, if any."""
    return next((r for r in f.record.requests if r.kind is RequestKind.MANUAL), None)


def postpone(f: Facts) -> Action | None:
    """Return the wait of a due rotation, or None if it may begin now."""
    return None if active_request(f) else _interval(f)


def _interval(f: Facts) -> Action | None:
    """Circuit breaker: keep the minimum interval after a rotation."""
    rotated = (due.last_rotation(dated(f, target)) for target in f.readable)
    last = max((at for at in rotated if at), default=None)
    if last is None or last + f.effective_policy.minimum_interval <= f.now:
        return None
    until = last + f.effective_policy.minimum_interval
    return wait(f, f"rotated {last:%F %H:%MZ}; the minimum interval is not over", until)
