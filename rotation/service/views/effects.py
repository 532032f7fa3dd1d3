"""Describes the effects of a planned operation, phase by phase. Pure."""

from __future__ import annotations

from ...decisions.actions import Action, ActionKind
from ...decisions.facts import Facts
from ...decisions.progress import target_names
from ...domain import durations
from ...domain.errors import RotationError
from ...domain.ids import AccountId
from ...domain.operation import Operation, Phase, Purpose
from ...domain.record import Record
from ...domain.request import RequestKind
from ..replies.preview import PreviewReply

_ORDER = list(Phase)


def describe(f: Facts, action: Action) -> PreviewReply:
    """Return the next step on an account and its effects."""
    return PreviewReply(
        account=str(f.record.account),
        secrets=[target.id.name for target in f.targets],
        action=action.kind,
        reason=action.reason,
        until=action.not_before,
        effects=_effects(f, action),
    )


def describe_error(account: AccountId, exc: RotationError) -> PreviewReply:
    """Return the reply about an account whose next step cannot be decided."""
    return PreviewReply(
        account=str(account),
        secrets=[],
        action=ActionKind.BLOCKED,
        reason=exc.advice,
        effects=[],
    )


def _effects(f: Facts, action: Action) -> list[str]:
    """Return the effects in order; none if no operation is planned."""
    operation, phase = action.record.operation, action.record.phase
    if operation is None:
        return []
    steps = [text for at, text in _steps(f, operation) if _ORDER.index(at) >= _ORDER.index(phase)]
    if action.kind is ActionKind.WAIT or action.kind is ActionKind.BLOCKED:
        return [f"Waits first: {action.reason}", *steps]
    return steps


def _steps(f: Facts, operation: Operation) -> list[tuple[Phase, str]]:
    new, old, where = operation.candidate, operation.revoke, target_names(f.targets)
    pending = target_names(f.not_publishing(new))
    steps = [
        (Phase.REGENERATE, f"Regenerate {new}; anything using it outside the vault stops working"),
        (Phase.VERIFY, f"Verify that {new} works and that a random key is refused"),
        (Phase.PUBLISH, f"Publish {new} to {pending or where}"),
    ]
    if old is None:
        return steps
    return [
        *steps,
        (Phase.OVERLAP, _overlap(f, operation)),
        (Phase.REVOKE, f"Regenerate {old}, which revokes the old key immediately"),
        (Phase.PROVE, f"Verify that the old {old} is refused"),
        (Phase.CLEAN, f"Disable versions of {where} that hold a revoked key"),
    ]


def _overlap(f: Facts, operation: Operation) -> str:
    if operation.overlap:
        return f"Both keys work for {durations.words(operation.overlap)} after the last publish"
    if operation.purpose is Purpose.EMERGENCY and f.publishing(operation.candidate.other):
        return "No overlap: consumers using the old key fail until they re-read the secret"
    return "No overlap"


def describe_answer(record: Record, kind: RequestKind) -> str:
    """Return what resuming or abandoning the operation will do."""
    operation = record.operation
    if operation is None:
        return "Nothing: no operation is running"
    if kind is RequestKind.RESUME:
        return f"Resumes in {record.phase}: {record.waiting or 'from where it stopped'}"
    revoked = f"; the old {operation.revoke} is NOT revoked" if operation.revoke else ""
    return f"The operation ends in {record.phase}; both keys are left unchanged{revoked}"
