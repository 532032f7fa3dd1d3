"""Decides whether a published value may be overwritten. Pure.

A key of the account that was revoked may be overwritten; any other value never. Membership has
already set aside everything that cannot be a key of the account.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain.keys import Key, Slot
from ..domain.record import Repair
from ..domain.targets import Target
from .facts import Facts

# Two listings of the account's keys this far apart tell that a value is neither.
APART = timedelta(minutes=10)

_FREE_REPAIRS = 3
_FIRST_DELAY, _LONGEST_DELAY = timedelta(minutes=15), timedelta(days=1)


def overwritable(f: Facts, target: Target) -> bool | None:
    """Return whether a publish may replace the target's value; None if a probe must tell first."""
    value = target.value
    if target in f.undecided:
        return False
    if value is None:
        return _was_read(f, target)
    if f.slot_of(target) or trimmed_slot(f, target) or not target.tagged:
        return True
    accepted = f.accepted(value)
    if accepted is None:
        return None
    return not accepted and (f.refused(value) or _is_neither_key(f, target))


def _was_read(f: Facts, target: Target) -> bool:
    """Return whether a disabled version was read, or written by us; others may hold anything."""
    name, operation = str(target.id), f.record.operation
    put = operation.puts.get(name) if operation else None
    seen = f.record.seen.get(name)
    if put is not None and put.version == target.version:
        return True
    return seen is not None and seen.version == target.version and bool(seen.fingerprint)


def trimmed_slot(f: Facts, target: Target) -> Slot | None:
    """Return the slot whose key the value is, except for blanks around it."""
    text = target.value.reveal() if target.value else ""
    return f.keys.slot_of(Key(text.strip())) if text != text.strip() else None


def unproven(f: Facts, targets: tuple[Target, ...]) -> tuple[Key, ...]:
    """Return the keys to probe before these targets are written to.

    A value is refused only if the same call accepts a current key.
    """
    asked = tuple(t.value for t in targets if t.value and overwritable(f, t) is None)
    return (*asked, f.keys.key1, f.keys.key2) if asked else ()


def works(f: Facts, target: Target) -> bool:
    """Return whether the data plane accepts the target's value, which is neither key."""
    value = target.value
    if value is None or f.slot_of(target) or trimmed_slot(f, target):
        return False
    return bool(f.accepted(value))


def without_strays(f: Facts) -> Facts:
    """Set aside targets whose value works, but has been neither key for a while.

    Somebody means it: perhaps another account's key, so that it concerns these targets alone.
    """
    strays = tuple(t for t in f.targets if works(f, t) and _is_neither_key(f, t))
    if not strays:
        return f
    said = {str(t.id): "its value works but is not a key of this account" for t in strays}
    record = replace(f.record, notes={**f.record.notes, **said})
    rest = tuple(t for t in f.targets if t not in strays)
    return replace(f, targets=rest, strays=strays, record=record)


def _is_neither_key(f: Facts, target: Target) -> bool:
    """Return whether an earlier visit, long enough ago, saw this version as neither key too."""
    seen = f.record.seen.get(str(target.id))
    if seen is None or seen.version != target.version or seen.since is None:
        return False
    return f.now - seen.since >= APART


def repairable_from(repair: Repair | None) -> datetime | None:
    """Return when a target may be repaired again: three times at once, then later and later."""
    if repair is None or repair.count < _FREE_REPAIRS:
        return None
    delay: timedelta = _FIRST_DELAY * (1 << min(repair.count - _FREE_REPAIRS, 10))
    return repair.at + min(delay, _LONGEST_DELAY)


def repaired(before: Repair | None, now: datetime) -> Repair:
    """Return the count with one more repair; after two days without one it starts again."""
    if before is None or now - before.at > 2 * _LONGEST_DELAY:
        return Repair(1, now)
    return Repair(before.count + 1, now)
