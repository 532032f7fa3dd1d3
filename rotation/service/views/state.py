"""The state of an enrolled secret, for the fleet's overview. Pure."""

from __future__ import annotations

from datetime import datetime

from ...domain import tags
from ...domain.ids import TargetId
from ...domain.operation import Phase, Purpose
from ...domain.record import Record
from ...domain.targets import ListedSecret
from ..replies.fleet import SecretState
from . import published

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
    enrolment, trouble = tags.read(listed.tags), _trouble(record)
    if trouble is None and (enrolment is None or enrolment.problems):
        trouble = SecretState.REFUSED
    known = trouble or _running(record)
    known = known or _of_key(listed.target, record)
    if known:
        return known
    if enrolment and enrolment.paused:
        return SecretState.PAUSED
    return SecretState.DUE if due_at <= now or record.requests else SecretState.HEALTHY


def state_of_member(target: TargetId, record: Record) -> SecretState:
    """Return the state of a secret whose tags do not tell it."""
    known = _trouble(record) or _running(record)
    return known or _of_key(target, record) or SecretState.HEALTHY


def _of_key(target: TargetId, record: Record) -> SecretState | None:
    """Return the state of a secret that shows another key than the service published last."""
    found = published.remark(target, record)
    if not found:
        return None
    return SecretState.FAILING if found == published.DEAD else SecretState.DRIFTED


def _trouble(record: Record) -> SecretState | None:
    if record.last_failure and record.last_failure.code in _REFUSED:
        return SecretState.REFUSED
    if record.blocked or record.failures > 1:  # a first failure is retried
        return SecretState.FAILING
    return None


def _running(record: Record) -> SecretState | None:
    if record.operation and record.operation.purpose is Purpose.REPAIR:
        return SecretState.DRIFTED
    return _OF_PHASE.get(record.phase)
