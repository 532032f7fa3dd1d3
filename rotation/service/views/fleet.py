"""The fleet as a person looks at it: one row per secret, from a listing and the journal. Pure.

No row needs a key: the slot is what the tag of the latest version says, which our own publish
wrote; "drifted" is what the last visit found by value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from ...decisions import schedule as due
from ...domain import tags
from ...domain.codec import present
from ...domain.model import AccountId, Slot, TargetId
from ...domain.policy import Policy
from ...domain.record import Operation, Phase, Purpose, Record, Trouble
from ...ports import Listed

DAY = timedelta(days=1)

_LONG_AGO = datetime.fromtimestamp(0, UTC)

# Codes of what is no failure of a moment: the account or secret cannot be rotated as it is.
REFUSED = frozenset({"LocalAuthDisabled", "ResourceNotFound", "ScopeLocked"})


class State(StrEnum):
    """How a secret is, the worst first."""

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

_NEXT = {
    Phase.IDLE: "rotate",
    Phase.REGENERATE: "make the spare key new",
    Phase.VERIFY: "prove the new key",
    Phase.PUBLISH: "publish the new key",
    Phase.OVERLAP: "revoke the old key",
    Phase.REVOKE: "revoke the old key",
    Phase.PROVE: "prove that the old key is dead",
    Phase.CLEAN: "disable old versions",
}


@dataclass(frozen=True)
class Row:
    """One secret. Times are Azure's; ``why`` says what it waits for, ``next_at`` until when."""

    target: TargetId
    account: AccountId | None
    state: State
    why: str
    next: str = ""
    next_at: datetime | None = None
    slot: Slot | None = None
    published_at: datetime | None = None
    expires: datetime | None = None
    phase: Phase = Phase.IDLE
    operation: str | None = None
    last: Operation | None = None
    error: Trouble | None = None


def row(listed: Listed, record: Record | None, policy: Policy, now: datetime) -> Row:
    """How an enrolled secret is; ``record`` is None where its account was never looked at."""
    if listed.account is None:
        return Row(listed.target, None, State.REFUSED, listed.problem, "correct its tags")
    at = due_at(listed, policy)
    record = record or Record(listed.account, "", waiting="not looked at yet")
    enrolment = tags.read(listed.tags)
    idle = record.phase is Phase.IDLE
    return Row(
        target=listed.target,
        account=listed.account,
        state=_state(listed, record, at, now),
        why=record.waiting,
        next=_NEXT[record.phase],
        next_at=record.waiting_until or (at if idle else None),
        slot=enrolment.claimed if enrolment else None,
        published_at=listed.created,
        expires=listed.expires,
        phase=record.phase,
        operation=record.operation.id if record.operation else None,
        last=record.history[-1] if record.history else None,
        error=record.blocked or record.trouble,
    )


def due_at(listed: Listed, policy: Policy) -> datetime:
    """When its rotation is due; long ago for a secret without an expiry."""
    if listed.expires is None:
        return listed.created or _LONG_AGO
    return listed.expires - policy.lead - policy.spread * due.share(listed.target)


def _state(listed: Listed, record: Record, at: datetime, now: datetime) -> State:
    enrolment = tags.read(listed.tags)
    if record.trouble and record.trouble.code in REFUSED:
        return State.REFUSED
    if record.blocked or record.failures > 1:  # once is no failure yet: it is tried again
        return State.FAILING
    if enrolment is None or enrolment.problems:
        return State.REFUSED
    if record.operation and record.operation.purpose is Purpose.REPAIR:
        return State.DRIFTED
    if record.phase is not Phase.IDLE:
        return _OF_PHASE[record.phase]
    if enrolment.paused:
        return State.PAUSED
    return State.DUE if at <= now or record.wishes else State.HEALTHY


def summary(rows: Iterable[Row], now: datetime) -> dict[str, Any]:
    """Counts, the oldest published key and the next expiry, in days."""
    rows = list(rows)
    managed = [r for r in rows if r.account]
    ages = [now - r.published_at for r in managed if r.published_at]
    expiries = [r.expires - now for r in managed if r.expires]
    return {
        "secrets": len(rows),
        "accounts": len({r.account for r in managed}),
        "states": dict(Counter(r.state.value for r in rows)),
        "oldestKeyDays": days(max(ages, default=None)),
        "nextExpiryDays": days(min(expiries, default=None)),
    }


def shown(row: Row, now: datetime) -> Mapping[str, Any]:
    """A row as JSON has it: every member is there, null where nothing is known."""
    last = row.last
    done = last and {
        "id": last.id,
        "purpose": last.purpose,
        "outcome": last.outcome,
        "endedAt": last.ended_at,
    }
    body = {
        "vault": row.target.vault,
        "secret": row.target.name,
        "account": str(row.account) if row.account else None,
        "accountName": row.account.name if row.account else None,
        "slug": row.account.slug if row.account else None,
        "state": row.state,
        "slot": row.slot,
        "publishedAt": row.published_at,
        "ageDays": days(now - row.published_at if row.published_at else None),
        "expires": row.expires,
        "expiresInDays": days(row.expires - now if row.expires else None),
        "next": row.next,
        "nextAt": row.next_at,
        "why": row.why,
        "phase": row.phase,
        "operation": row.operation,
        "lastOperation": present(done) if done else None,
        "error": row.error,
    }
    return dict.fromkeys(body) | present(body)


def days(span: timedelta | None) -> float | None:
    """Days with one digit after the point."""
    return None if span is None else round(span / DAY, 1)
