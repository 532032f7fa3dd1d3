"""The state of an enrolled secret, for the fleet's overview. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from ...domain import tags
from ...domain.operation import Phase, Purpose
from ...domain.record import Record
from ...domain.targets import ListedSecret

# Codes of accounts and secrets that cannot be rotated until somebody changes them.
_REFUSED = frozenset({"LocalAuthDisabled", "ResourceNotFound", "ScopeLocked"})


class State(StrEnum):
    """The states of a secret, the worst first."""

    FAILING = "failing"
    REFUSED = "refused"
    DRIFTED = "drifted"
    DUE = "due"
    ROTATING = "rotating"
    REVOKING = "revoking"
    OVERLAP = "overlap"
    PAUSED = "paused"
    HEALTHY = "healthy"
    UNMANAGED = "unmanaged"


_OF_PHASE = {
    Phase.REGENERATE: State.ROTATING,
    Phase.VERIFY: State.ROTATING,
    Phase.PUBLISH: State.ROTATING,
    Phase.OVERLAP: State.OVERLAP,
    Phase.REVOKE: State.REVOKING,
    Phase.PROVE: State.REVOKING,
    Phase.CLEAN: State.REVOKING,
}


def state_of(listed: ListedSecret, record: Record, due_at: datetime, now: datetime) -> State:
    """Return the state of a secret whose next rotation is due at ``due_at``."""
    enrolment = tags.read(listed.tags)
    if record.last_failure and record.last_failure.code in _REFUSED:
        return State.REFUSED
    if record.blocked or record.failures > 1:  # a first failure is retried
        return State.FAILING
    if enrolment is None or enrolment.problems:
        return State.REFUSED
    if record.operation and record.operation.purpose is Purpose.REPAIR:
        return State.DRIFTED
    if record.phase is not Phase.IDLE:
        return _OF_PHASE[record.phase]
    if enrolment.paused:
        return State.PAUSED
    return State.DUE if due_at <= now or record.requests else State.HEALTHY
