"""The result of a decision: an action with a reason and the record to store before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec.structs import replace

from ..domain.emergency import Emergency
from ..domain.errors import RotationError
from ..domain.ids import TargetId
from ..domain.keys import Key, Slot
from ..domain.operation import Operation, Phase
from ..domain.record import Failure, Record
from .facts import Facts

UNDECIDED_WAIT = timedelta(minutes=1)

MAX_PAUSE = timedelta(minutes=2)


class ActionKind(StrEnum):
    """The reconciler's next act. ASK adds missing facts, MOVE only changes the record."""

    IDLE = "idle"
    WAIT = "wait"
    BLOCKED = "blocked"
    ASK = "ask"
    MOVE = "move"
    SEND = "send"
    PUBLISH = "publish"
    DISABLE = "disable"


@dataclass(frozen=True)
class MissingFacts:
    """Facts to read before deciding again: keys to probe, secret versions, readers, the hold."""

    probe: tuple[Key, ...] = ()
    versions: bool = False
    readers: bool = False
    fleet_hold: bool = False


@dataclass(frozen=True)
class Action:
    """One action. ``record`` is stored before the effect; ``not_before`` is the end of a wait.

    ``emergencies``, if not None, are stored before the record. ``remedy`` says what a person can do
    about a wait that keeps a leaked key alive.
    """

    kind: ActionKind
    reason: str
    record: Record
    not_before: datetime | None = None
    missing: MissingFacts = MissingFacts()
    slot: Slot | None = None
    targets: tuple[TargetId, ...] = ()
    versions: tuple[tuple[TargetId, str], ...] = ()
    failure: RotationError | None = None
    emergencies: tuple[Emergency, ...] | None = None
    remedy: str = ""


def idle(f: Facts, reason: str, until: datetime | None = None) -> Action:
    """Return the action for an account that needs nothing before ``until``."""
    return Action(ActionKind.IDLE, reason, f.record, until)


def wait(f: Facts, reason: str, until: datetime, record: Record | None = None) -> Action:
    """Wait until ``until``, then decide again."""
    return Action(ActionKind.WAIT, reason, record or f.record, until)


def retry_later(f: Facts, reason: str) -> Action:
    """Wait for a short time that doubles with each retry in the same phase.

    Longer if the data plane asked for it.
    """
    operation = f.operation
    delay = min(timedelta(seconds=5) * 2 ** min(operation.tries, 10), MAX_PAUSE)
    delay = max(delay, f.probe_pause)
    record = replace(f.record, operation=replace(operation, tries=operation.tries + 1))
    return wait(f, reason, f.now + delay, record)


def blocked(f: Facts, reason: str, until: datetime | None = None) -> Action:
    """Wait until someone changes something outside; every visit checks again."""
    return Action(ActionKind.BLOCKED, reason, f.record, until)


def block(f: Facts, code: str, reason: str, remedy: str) -> Action:
    """Block the operation until an operator resumes or abandons it. Both keys stay as they are."""
    cause = Failure(code, reason, remedy, f.now)
    operation = f.operation.noting(f.now, f"blocked: {reason}")
    return Action(ActionKind.BLOCKED, reason, replace(f.record, blocked=cause, operation=operation))


def needs(f: Facts, reason: str, missing: MissingFacts) -> Action:
    """Ask for missing facts."""
    return Action(ActionKind.ASK, reason, f.record, missing=missing)


def undecided(f: Facts) -> Action | None:
    """Hold scheduled work while it is not known what a target's vault is bound to."""
    if not f.undecided:
        return None
    if f.record.frozen_bindings:
        return blocked(f, "the list of bound pairs was lost; set ROTATION_BINDINGS")
    reason = "no bindings yet: waiting for the first complete listing of every vault"
    return wait(f, reason, f.now + UNDECIDED_WAIT)


def unread(f: Facts) -> Action | None:
    """Fail with the vault's own error if a secret cannot be read."""
    error = next(iter(f.read_errors.values()), None)
    if error is None:
        return None
    return Action(ActionKind.BLOCKED, str(error), f.record, failure=error)


def enter(f: Facts, phase: Phase, reason: str, operation: Operation | None = None) -> Action:
    """Enter a phase and reset its counters."""
    operation = operation or f.operation
    entered = replace(
        operation,
        phase_since=f.now,
        tries=0,
        successes=0,
        first_success=None,
        audit=operation.audited(f.now, f"{phase}: {reason}"),
    )
    return Action(ActionKind.MOVE, reason, replace(f.record, phase=phase, operation=entered))
