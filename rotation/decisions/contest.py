"""The hold of scheduled work on an account whose keys somebody else regenerates as well.

A second rotation service or an old script must not make a duel. Repairs and emergencies go on.
"""

from __future__ import annotations

from msgspec.structs import replace

from ..domain.operation import Phase, Purpose
from .actions import Action, block, blocked
from .facts import Facts
from .keys import CONTEST, CONTESTED, is_contested
from .lifecycle import superseded
from .progress import step_back

CODE = "foreign-changes"

_HELPING = (Purpose.REPAIR, Purpose.EMERGENCY)

_SENDING = (Phase.REGENERATE, Phase.REVOKE)


def hold(f: Facts) -> Action | None:
    """Block scheduled work before its next regenerate until a person resumes it.

    Consumers without a working key are still helped.
    """
    operation, cause = f.record.operation, f.record.blocked
    is_held = cause is not None and cause.code == CODE
    if operation is None or operation.purpose in _HELPING or f.record.phase not in _SENDING:
        return None
    if not is_held and (cause or f.record.intent or not is_contested(f.record, f.now)):
        return None
    return _help(replace(f, record=replace(f.record, blocked=None))) or _held(f)


def _help(f: Facts) -> Action | None:
    if f.record.phase is Phase.REVOKE:
        return step_back(f)
    if f.publishing_other(f.operation.candidate.other):
        return superseded(f, "the secrets no longer publish the same working key")
    return None


def _held(f: Facts) -> Action:
    if f.record.blocked:
        return blocked(f, f"{f.record.blocked.message}; {f.record.blocked.remedy}")
    reason = f"somebody else changed the keys {CONTESTED} times within {CONTEST.days} days"
    remedy = "find out who (activity log, regenerateKey), stop them, then resume or abandon"
    return block(f, CODE, reason, remedy)
