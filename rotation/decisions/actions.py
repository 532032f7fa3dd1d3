"""What a decision is: a kind, a reason in words, and what must be stored before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec.structs import replace

from ..domain.ids import TargetId
from ..domain.keys import Key, Slot
from ..domain.operation import Operation, Phase
from ..domain.record import Failure, Record
from .facts import Facts

MAX_PAUSE = timedelta(minutes=2)


class ActionKind(StrEnum):
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
    """What the decision must know before it can decide: reads and probes, no effects."""

    probe: tuple[Key, ...] = ()
    versions: bool = False
    stale_readers: bool = False


@dataclass(frozen=True)
class Action:
    """``record`` is stored before the effect; ``not_before`` answers "until when?"."""

    kind: ActionKind
    reason: str
    record: Record
    not_before: datetime | None = None
    missing: MissingFacts = MissingFacts()
    slot: Slot | None = None
    targets: tuple[TargetId, ...] = ()
    versions: tuple[tuple[TargetId, str], ...] = ()


def idle(f: Facts, reason: str, until: datetime | None = None) -> Action:
    return Action(ActionKind.IDLE, reason, f.record, until)


def wait(f: Facts, reason: str, until: datetime, record: Record | None = None) -> Action:
    """Nothing can be done before ``until``; then look again."""
    return Action(ActionKind.WAIT, reason, record or f.record, until)


def retry_later(f: Facts, reason: str) -> Action:
    """Wait a little, and longer each time that the same phase has to."""
    operation = f.operation
    delay = min(timedelta(seconds=5) * 2 ** min(operation.tries, 10), MAX_PAUSE)
    record = replace(f.record, operation=replace(operation, tries=operation.tries + 1))
    return wait(f, reason, f.now + delay, record)


def blocked(f: Facts, reason: str, until: datetime | None = None) -> Action:
    """A person must change something outside; it is looked at again on every visit."""
    return Action(ActionKind.BLOCKED, reason, f.record, until)


def block(f: Facts, code: str, reason: str, remedy: str) -> Action:
    """Stop for good, both keys left as they are, until a person resumes or abandons."""
    cause = Failure(code, reason, remedy, f.now)
    operation = f.operation.noting(f.now, f"blocked: {reason}")
    return Action(ActionKind.BLOCKED, reason, replace(f.record, blocked=cause, operation=operation))


def needs(f: Facts, reason: str, missing: MissingFacts) -> Action:
    return Action(ActionKind.ASK, reason, f.record, missing=missing)


def enter(f: Facts, phase: Phase, reason: str, operation: Operation | None = None) -> Action:
    """Enter a phase: its own counters start anew."""
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
