"""What a request will do, in sentences, before anything is done. Pure.

Follows the operation that the decision planned, phase by phase, as architecture.md has them.
"""

from __future__ import annotations

from typing import Any

from ...decisions.actions import Action, Kind
from ...decisions.facts import Facts
from ...decisions.lifecycle import cancellable
from ...decisions.progress import names
from ...domain import durations
from ...domain.codec import present
from ...domain.record import Operation, Phase, Purpose, Record, WishKind

_ORDER = list(Phase)


def of(f: Facts, action: Action) -> dict[str, Any]:
    """One entry of ``would``: the first step, and what follows from it."""
    body = {
        "account": str(f.record.account),
        "secrets": [target.id.name for target in f.targets],
        "action": action.kind,
        "reason": action.reason,
        "until": action.not_before,
        "effects": effects(f, action),
    }
    return dict.fromkeys(body) | present(body)


def effects(f: Facts, action: Action) -> list[str]:
    """What happens, in order; empty where nothing is planned."""
    operation, phase = action.record.operation, action.record.phase
    if operation is None:
        return []
    steps = [text for at, text in _steps(f, operation) if _ORDER.index(at) >= _ORDER.index(phase)]
    if action.kind is Kind.WAIT or action.kind is Kind.BLOCKED:
        return [f"first it waits: {action.reason}", *steps]
    return steps


def _steps(f: Facts, operation: Operation) -> list[tuple[Phase, str]]:
    new, old, where = operation.candidate, operation.revoke, names(f.targets)
    pending = names(f.pending(new))
    steps = [
        (Phase.REGENERATE, f"{new} is made new; whoever uses it outside the vault loses it"),
        (Phase.VERIFY, f"{new} is proven by use, against a key that cannot be right"),
        (Phase.PUBLISH, f"{new} is published to {pending or where}"),
    ]
    if old is None:
        return steps
    return [
        *steps,
        (Phase.OVERLAP, _overlap(f, operation)),
        (Phase.REVOKE, f"{old} is made new, which revokes it everywhere at once"),
        (Phase.PROVE, f"the old {old} is proven dead by use"),
        (Phase.CLEAN, f"versions of {where} that hold a dead key are disabled"),
    ]


def _overlap(f: Facts, operation: Operation) -> str:
    if operation.overlap:
        return f"both keys work for {durations.text(operation.overlap)} after the last publish"
    if operation.purpose is Purpose.EMERGENCY and f.publishing(operation.candidate.other):
        return "no overlap: consumers of the old key fail until they read the secret again"
    return "no overlap"


def answer(record: Record, kind: WishKind) -> str:
    """What resuming, abandoning or cancelling the operation will do."""
    operation = record.operation
    if operation is None:
        return "nothing: there is no operation under way"
    if kind is WishKind.RESUME:
        return f"it goes on in {record.phase}: {record.waiting or 'from where it stopped'}"
    if kind is WishKind.CANCEL:
        done = "nothing was changed" if cancellable(record) else "it is too late: something was"
        return f"the operation ends; {done}"
    revoked = f"; the old {operation.revoke} is NOT revoked" if operation.revoke else ""
    return f"the operation ends in {record.phase}; both keys stay as they are{revoked}"
