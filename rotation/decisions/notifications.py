"""Notifications about an operation, and the audit record of one that ended. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ..domain import legacy
from ..domain.ids import AccountId
from ..domain.operation import Operation
from ..domain.record import OUTBOX, Notification, Record
from .facts import Facts

ENDED = "ended"  # the type of the notification about an operation that ended


def notify(record: Record, f: Facts, kind: str, data: Mapping[str, str]) -> Record:
    """Add a notification to the outbox; its id is the same if the step is repeated."""
    operation = f.record.operation
    subject = operation.id if operation else f"{record.account.slug}-{record.epoch}"
    notice = Notification(f"{subject}-{kind}-{data.get('of', '')}".rstrip("-"), kind, f.now, data)
    others = tuple(n for n in record.outbox if n.id != notice.id)
    return replace(record, outbox=(*others, notice)[-OUTBOX:])


def audit_record(account: AccountId, done: Operation) -> dict[str, str]:
    """Return the audit record of an operation that ended, without empty members."""
    ended, asked = done.ended_at or done.phase_since, done.asked_at or done.started_at
    whole = {
        "account": str(account),
        "operation": done.id,
        "purpose": done.purpose.value,
        "ending": legacy.ending(done).value,
        "outcome": done.outcome,
        "requester": done.requester,
        "role": done.role,
        "reason": done.reason,
        "request": done.request_id,
        "leaked": done.leaked.value,
        "askedAt": asked.isoformat(),
        "endedAt": ended.isoformat(),
        "seconds": f"{(ended - asked).total_seconds():.0f}",
    }
    return {name: text for name, text in whole.items() if text}
