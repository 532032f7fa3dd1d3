"""The state of an enrolled secret, for the fleet's overview. Pure."""

from __future__ import annotations

from datetime import datetime

from ...domain import tags
from ...domain.operation import Phase, Purpose
from ...domain.record import Record
from ...domain.targets import ListedSecret
from ..replies.fleet import SecretState

# Codes of accounts and secrets that cannot be rotated until somebody changes them.
_REFUSED = frozenset({"LocalAuthDisabled", "ResourceNotFound", "ScopeLocked"})


_OF_PHASE = {
    Phase.REGENERATE: SecretState.ROTATING,
    Phase.VERIFY: SecretState.ROTATING,
    Phase.PUBLISH: SecretState.ROTATING,
    Phase.OVERLAP: SecretState.OVERLAP,
    Phase.REVOKE: SecretState.REVOKING,
    Phase.PROVE: SecretState.REVOKING,
    Phase.CLEAN: SecretState.REVOKING,
}


def state_of(listed: ListedSecret, record: Record, due_at: datetime, now: datetime) -> SecretState:
    """Return the state of a secret whose next rotation is due at ``due_at``."""
    enrolment = tags.read(listed.tags)
    if record.last_failure and record.last_failure.code in _REFUSED:
        return SecretState.REFUSED
    if record.blocked or record.failures > 1:  # a first failure is retried
        return SecretState.FAILING
    if enrolment is None or enrolment.problems:
        return SecretState.REFUSED
    if record.operation and record.operation.purpose is Purpose.REPAIR:
        return SecretState.DRIFTED
    if record.phase is not Phase.IDLE:
        return _OF_PHASE[record.phase]
    if enrolment.paused:
        return SecretState.PAUSED
    return SecretState.DUE if due_at <= now or record.requests else SecretState.HEALTHY
