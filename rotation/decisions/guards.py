"""What must hold before a regenerate. Only an ``Action`` that stops comes out of here, or None.

Run twice: before an operation begins, and again in the same step as the request is sent.
"""

from __future__ import annotations

from datetime import timedelta

from ..domain.keys import Slot
from ..domain.operation import Purpose
from ..domain.policy import ProbePolicy
from ..domain.probing import ProbeResult
from .actions import Action, MissingFacts, blocked, needs, wait
from .facts import Facts

RETRY = timedelta(minutes=15)

SOON = timedelta(seconds=30)


def before_regenerate(f: Facts, slot: Slot) -> Action | None:
    """The reason why ``slot`` must not be regenerated now, or None where nothing forbids it."""
    return _published(f, slot) or _capped(f) or _cached(f, slot) or _unproven(f, slot.other)


def _published(f: Facts, slot: Slot) -> Action | None:
    """Never regenerate a slot that any target publishes, nor while one publishes a dead key."""
    emergency = _is_emergency(f)
    if f.unreadable and not emergency:
        names = ", ".join(t.id.name for t in f.unreadable)
        return blocked(
            f, f"{names}: disabled, so which key it holds is unknown; enable or untag it"
        )
    astray = ", ".join(target.id.name for target in f.publishing_other(slot.other))
    if astray:
        return wait(f, f"{astray}: does not publish {slot.other}", f.now + SOON)
    return None


def _capped(f: Facts) -> Action | None:
    """The breaker against loops of any cause."""
    recent = f.recent(f.record.regenerated)
    if len(recent) < f.policy.daily_cap:
        return None
    reason = f"{len(recent)} regenerations in 24 hours, the daily cap; ROTATION_DAILY_CAP raises it"
    return blocked(f, reason, min(recent) + timedelta(days=1))


def _cached(f: Facts, slot: Slot) -> Action | None:
    """Consumers may hold a value for the whole overlap after it was superseded."""
    operation = f.record.operation
    overlap = operation.overlap if operation else f.effective_policy.overlap
    if all(target.created <= f.now - overlap for target in f.targets):
        return None
    if f.versions is None:
        return needs(f, "which versions consumers may still hold", MissingFacts(versions=True))
    superseded = f.superseded_at(slot)
    if superseded is None or superseded + overlap <= f.now:
        return None
    reason = f"{slot} was published until {superseded:%Y-%m-%d %H:%M:%SZ}; its overlap is not over"
    return wait(f, reason, superseded + overlap)


def _unproven(f: Facts, live: Slot) -> Action | None:
    """The published key must work, and the probe must be able to tell."""
    key = f.keys[live]
    trusted = f.trusted(key)
    if trusted is None:
        return needs(f, f"whether {live} works", MissingFacts(probe=(key,)))
    if trusted:
        return None
    return probe_failure(f, live)


def probe_failure(f: Facts, slot: Slot) -> Action:
    """Why the probe did not prove a key, in words, and when to look again."""
    control, verdict = f.control, f.verdicts[f.keys[slot]]
    if control is not None and control.result is ProbeResult.ACCEPTED:
        return blocked(f, f"the probe proves nothing: it accepted a random key ({control.detail})")
    if verdict.result is ProbeResult.REFUSED:
        return wait(f, f"{slot} is refused by the data plane: {verdict.detail}", f.now + SOON)
    detail = verdict.detail or (control.detail if control else "")
    lenient = f.policy.probe is ProbePolicy.ACCEPT
    advice = "" if lenient else "; let the service reach it, or set ROTATION_PROBE=accept"
    return blocked(f, f"{slot} cannot be proven: {detail}{advice}", f.now + RETRY)


def _is_emergency(f: Facts) -> bool:
    operation = f.record.operation
    return operation is not None and operation.purpose is Purpose.EMERGENCY
