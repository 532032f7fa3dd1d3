"""Limits of the time that an emergency waits for a target. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain.errors import Permanent
from ..domain.ids import TargetId
from ..domain.operation import ANOTHER_WRITER, Attempt
from ..domain.probing import ProbeResult
from ..domain.targets import Target
from . import leaks, values
from .actions import Action, wait
from .facts import Facts
from .progress import STALE_READS

LOOK = timedelta(seconds=5)

LOOK_LATER = timedelta(minutes=1)

FOREIGN_VALUE = "foreign-value"  # the code of an attempt that was not made

DISABLED = "SecretDisabled"

# A target that is overwritten this often has another writer.
MAX_OVERWRITES = 3


def is_impatient(f: Facts) -> bool:
    return any(e.impatient for e in f.leaks)


def is_forced(f: Facts) -> bool:
    return any(e.forced for e in f.leaks)


def held(f: Facts, reason: str, until: datetime, remedy: str) -> Action:
    """Wait, and say what a person can do: the leaked key is not revoked yet."""
    found = wait(f, reason, until)
    return Action(found.kind, reason, found.record, until, remedy=remedy)


def given_up(f: Facts, target: Target) -> bool:
    """Return whether the emergency no longer waits for a target."""
    attempt = f.operation.attempts.get(str(target.id))
    if attempt is None:
        return False
    over = f.now - attempt.since >= f.policy.emergency_patience
    return attempt.hopeless or over or is_impatient(f)


def is_tried_now(f: Facts, target: Target) -> bool:
    """Return whether to publish to a target in this step."""
    attempt = f.operation.attempts.get(str(target.id))
    if attempt is None:
        return True
    if not is_ours(f, target):
        return False
    if attempt.at < f.operation.phase_since:  # once more, each time that the phase begins
        return True
    if attempt.code == FOREIGN_VALUE:  # until now it was not known that it is ours
        return True
    if attempt.hopeless:
        return False
    since = f.now - attempt.at
    return since >= LOOK_LATER or (since >= LOOK and not given_up(f, target))


def hidden(f: Facts) -> tuple[Target, ...]:
    """Return the targets that cannot be read."""
    return tuple(t for t in f.targets if not t.readable)


def unread(f: Facts) -> tuple[TargetId, ...]:
    """Return the secrets that may soon be read again, if nothing tells what they publish."""
    known = {target.id for target in f.targets if f.slot_of(target)}
    failed = (t for t, error in f.read_errors.items() if not isinstance(error, Permanent))
    return tuple(sorted(target for target in failed if target not in known))


def is_ours(f: Facts, target: Target) -> bool | None:
    """Return whether a publish may replace the value; None if a probe must tell first."""
    return leaks.holds(f, target.value) or values.overwritable(f, target)


def is_unseen(f: Facts, targets: tuple[Target, ...]) -> bool:
    """Return whether a target may still show the version before ours, so that it is read again.

    Key Vault's times are whole seconds: a version of the same second may be the former one.
    """
    puts = f.operation.puts
    shown = ((t, puts[str(t.id)]) for t in targets if str(t.id) in puts)
    late = any(t.version != put.version and t.created <= put.created for t, put in shown)
    return late and f.operation.tries < STALE_READS


def wanting(f: Facts) -> tuple[Target, ...]:
    """Return the targets that do not publish the successor, and are still waited for."""
    pending = (*f.not_publishing(f.operation.candidate), *hidden(f))
    return tuple(t for t in pending if not given_up(f, t))


def counted(f: Facts) -> Facts:
    """Note since when each target is in the way: unreadable, overwritten, or not ours."""
    attempts, puts = dict(f.operation.attempts), dict(f.operation.puts)
    for target in hidden(f):
        attempts.setdefault(str(target.id), _unread(f, target))
    for target in f.not_publishing(f.operation.candidate):
        name = str(target.id)
        if is_ours(f, target) is False:
            attempts[name] = _not_ours(f, target, attempts.get(name))
        elif puts.pop(name, None):  # it was visible, or should be by now
            attempts[name] = _overwritten(attempts.get(name), f.now)
    operation = replace(f.operation, attempts=attempts, puts=puts)
    return replace(f, record=replace(f.record, operation=operation))


def _not_ours(f: Facts, target: Target, before: Attempt | None) -> Attempt:
    """Note a value that is somebody else's or disabled, or that no probe can judge yet."""
    if target.value is None:
        return Attempt(f.now, f.now, DISABLED, hopeless=True)
    verdict = f.verdicts.get(target.value)
    told = verdict is not None and verdict.result is not ProbeResult.INCONCLUSIVE
    unclear = not told or (f.control is not None and f.control.result is ProbeResult.ACCEPTED)
    since = before.since if before else f.now
    return Attempt(since, f.now, FOREIGN_VALUE, hopeless=not unclear)


def _unread(f: Facts, target: Target) -> Attempt:
    error = f.read_errors.get(target.id)
    code = error.code if error else "Unreadable"
    return Attempt(f.now, f.now, code, hopeless=isinstance(error, Permanent))


def _overwritten(before: Attempt | None, now: datetime) -> Attempt:
    count = before.count + 1 if before else 1
    since = before.since if before else now
    hopeless = count >= MAX_OVERWRITES
    return Attempt(since, now - LOOK, ANOTHER_WRITER, hopeless=hopeless, count=count)
