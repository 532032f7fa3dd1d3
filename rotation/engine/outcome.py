"""The outcome of a visit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from ..decisions.actions import Action, ActionKind
from ..decisions.nudges import next_at
from ..domain.ids import AccountId
from ..domain.operation import Phase
from ..domain.record import Failure, Record


class Outcome(Struct, frozen=True):
    """The outcome of a visit: why the account waits, and until when.

    ``retry_now``: visit again immediately. ``new_wait``: the wait was not stored before.
    ``has_notifications``: the outbox is not empty. ``has_nudges``: consumers are to be asked.
    ``of_service``: the service itself failed.
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
    has_nudges: bool = False
    of_service: bool = False

    @property
    def failed(self) -> bool:
        return self.failure is not None


def of_action(action: Action, record: Record, *, new_wait: bool = False) -> Outcome:
    """Return the outcome of a step, given the stored record."""
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
        has_nudges=next_at(record) is not None,
    )


def of_rest(record: Record) -> Outcome:
    """Return the outcome of a look that found nothing new."""
    kind = ActionKind.IDLE if record.operation is None else ActionKind.WAIT
    return Outcome(
        account=record.account,
        kind=kind,
        reason=record.waiting,
        until=record.waiting_until,
        phase=record.phase,
        operation=record.operation.id if record.operation else None,
        has_notifications=False,
    )


def fields(outcome: Outcome) -> dict[str, Any]:
    """Return the fields of the log line ``step``."""
    return {
        "account": str(outcome.account),
        "operation": outcome.operation,
        "phase": outcome.phase.value,
        "action": outcome.kind.value,
        "reason": outcome.reason,
        "until": outcome.until.isoformat() if outcome.until else None,
        "code": outcome.failure.code if outcome.failure else None,
    }
