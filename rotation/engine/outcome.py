"""How a visit ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from ..decisions.actions import Action, ActionKind
from ..domain.ids import AccountId
from ..domain.operation import Phase
from ..domain.record import Failure, Record


class Outcome(Struct, frozen=True):
    """How a visit ended: what the account waits for, and until when.

    ``busy``: it wants to be looked at again at once. ``scheduled``: the wait is a new one.
    ``notices``: there may be something to tell the outside.
    """

    account: AccountId
    kind: ActionKind
    reason: str
    until: datetime | None = None
    phase: Phase = Phase.IDLE
    operation: str | None = None
    failure: Failure | None = None
    retry_now: bool = False
    new_wait: bool = False
    has_notifications: bool = True

    @property
    def failed(self) -> bool:
        return self.failure is not None


def of_action(action: Action, record: Record, *, new_wait: bool = False) -> Outcome:
    """What a step came to, with the record as it was stored."""
    return Outcome(
        account=record.account,
        kind=action.kind,
        reason=action.reason,
        until=action.not_before,
        phase=record.phase,
        operation=record.operation.id if record.operation else None,
        failure=record.blocked,
        new_wait=new_wait,
        has_notifications=bool(record.outbox),
    )


def fields(outcome: Outcome) -> dict[str, Any]:
    """Structured log fields with stable names."""
    return {
        "account": str(outcome.account),
        "operation": outcome.operation,
        "phase": outcome.phase.value,
        "action": outcome.kind.value,
        "reason": outcome.reason,
        "until": outcome.until.isoformat() if outcome.until else None,
        "code": outcome.failure.code if outcome.failure else None,
    }
