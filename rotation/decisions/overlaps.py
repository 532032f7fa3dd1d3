"""Overlap: the time during which both keys work, by Key Vault's own times. Pure.

It counts from the first version that holds the new key, so rewriting that version does not start
it again. A secret that somebody changes to and fro delays the end only within bounds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ..domain.keys import Slot
from ..domain.targets import Target
from .facts import Facts

# After our first confirmed publish to a target, and to any target of the account.
LATEST, LATEST_OF_ALL = timedelta(days=7), timedelta(days=14)


def overlap_end(f: Facts) -> datetime:
    """Return the end of the operation's overlap. Without ``versions``, it may be too late."""
    operation = f.operation
    ends = [_end(f, target) for target in f.readable if f.slot_of(target) is operation.candidate]
    puts = [put.created for put in operation.puts.values()]
    end = max(ends or [at + operation.overlap for at in puts or [operation.phase_since]])
    return min([end, *_last_ends(f)])


def may_be_earlier(f: Facts) -> bool:
    """Return whether ``versions`` may show an earlier end: a target has a version not by us."""
    puts = f.operation.puts
    return f.versions is None and any(
        str(t.id) not in puts or puts[str(t.id)].version != t.version for t in f.readable
    )


def cached_until(f: Facts, slot: Slot, overlap: timedelta) -> datetime | None:
    """Return until when consumers may still hold the slot's key; None if nobody does.

    Needs ``versions``.
    """
    ends = [_cached_until(f.replacements(t.id, slot), overlap) for t in f.rereadable]
    ends += [_cached_until(_hidden(f, t, slot, overlap), overlap) for t in f.targets]
    end = max((at for at in ends if at), default=None)
    return min([end, *_last_ends(f)]) if end else None


def _hidden(f: Facts, target: Target, slot: Slot, overlap: timedelta) -> tuple[datetime, ...]:
    """Return when versions were replaced that cannot be read now but may hold the slot's key.

    A version that is older than the key does not. Key Vault's times are whole seconds.
    """
    born = f.record.births.get(f.fingerprint(slot))
    oldest = born - timedelta(seconds=1) if born else datetime.min.replace(tzinfo=UTC)
    hidden = f.replaced(target.id, lambda v: v.value is None and v.created >= oldest)
    return tuple(at for at in hidden if at >= f.now - LATEST - overlap)


def _cached_until(replaced: tuple[datetime, ...], overlap: timedelta) -> datetime | None:
    """Return the end of an overlap after the last replacement, or after the first and some days."""
    return min(max(replaced), min(replaced) + LATEST) + overlap if replaced else None


def _end(f: Facts, target: Target) -> datetime:
    start, first = _run_start(f, target), _first_publish(f, target)
    return (min(start, first + LATEST) if first else start) + f.operation.overlap


def _run_start(f: Facts, target: Target) -> datetime:
    """Return when the unbroken run of versions with the target's present value began."""
    start = target.created
    versions = [v for v in f.known_versions if v.target == target.id and v.created <= start]
    for at in sorted({version.created for version in versions}, reverse=True):
        values = [version.value for version in versions if version.created == at]
        if None in values or any(value != target.value for value in values):
            break
        start = at
    return start


def _first_publish(f: Facts, target: Target) -> datetime | None:
    """Return the time of our first confirmed publish to the target in this operation."""
    put = f.operation.puts.get(str(target.id))
    return (put.first or put.created) if put else None


def _last_ends(f: Facts) -> list[datetime]:
    """Return the end that no target can delay, in a list; an empty one before any publish."""
    operation = f.record.operation
    if operation is None or not operation.puts:
        return []
    first = min(put.first or put.created for put in operation.puts.values())
    return [first + LATEST_OF_ALL + operation.overlap]
