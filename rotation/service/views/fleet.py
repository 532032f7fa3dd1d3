"""The fleet's overview: one row per secret, from the vaults' listings and the journal. Pure.

Rows need no keys. The slot was found by value at the last visit; until then it comes from the tag
that the last publish wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from ...decisions.due import due_at, of_listing
from ...domain.ids import AccountId, TargetId
from ...domain.keys import Slot
from ...domain.operation import Operation, Phase
from ...domain.policy import Policy
from ...domain.record import Failure, Record
from ...domain.targets import ListedSecret
from ..replies.fleet import LastOperationReply, LastSweepReply, RowReply, SecretState, SummaryReply
from ..replies.reply import optional
from . import published
from .operation import trouble
from .state import state_of

_DAY = timedelta(days=1)


_NEXT = {
    Phase.IDLE: "rotate",
    Phase.REGENERATE: "regenerate the spare key",
    Phase.VERIFY: "verify the new key",
    Phase.PUBLISH: "publish the new key",
    Phase.OVERLAP: "revoke the old key",
    Phase.REVOKE: "revoke the old key",
    Phase.PROVE: "verify that the old key is refused",
    Phase.CLEAN: "disable old versions",
}


class Row(Struct, frozen=True):
    """One secret. ``why`` is what its next step waits for, ``next_at`` until when.

    ``born`` is when its key is known to have existed first. ``problems`` are remarks on it that
    stop no rotation of its account.
    """

    target: TargetId
    account: AccountId | None
    state: SecretState
    why: str
    next: str = ""
    next_at: datetime | None = None
    slot: Slot | None = None
    published_at: datetime | None = None
    born: datetime | None = None
    expires: datetime | None = None
    phase: Phase = Phase.IDLE
    operation: str | None = None
    last: Operation | None = None
    error: Failure | None = None
    problems: tuple[str, ...] = ()


def row(listed: ListedSecret, record: Record | None, policy: Policy, now: datetime) -> Row:
    """Return the row of a secret; ``record`` is None if its account was never visited."""
    if listed.account is None:
        return Row(listed.target, None, SecretState.REFUSED, listed.problem, "correct its tags")
    account, listed = listed.account, published.current(listed, record)
    dated = of_listing(listed, record, policy)
    at, enrolment = due_at(dated), dated.enrolment
    record = record or Record(account, "", waiting="not visited yet")
    idle = record.phase is Phase.IDLE
    notes, claimed = _notes(listed.target, record), enrolment.claimed if enrolment else None
    return Row(
        target=listed.target,
        account=listed.account,
        state=state_of(listed, record, at, now),
        why="; ".join(text for text in (*notes, record.waiting) if text),
        next=_NEXT[record.phase],
        next_at=record.waiting_until or (at if idle else None),
        slot=published.slot_of(listed.target, record) or claimed,
        published_at=listed.created,
        born=dated.birth,
        expires=listed.expires,
        phase=record.phase,
        operation=record.operation.id if record.operation else None,
        last=record.history[-1] if record.history else None,
        error=record.blocked or record.last_failure,
        problems=notes,
    )


def _notes(target: TargetId, record: Record) -> tuple[str, ...]:
    """Return the remarks on a secret: of its last visit, and on the key that it showed then."""
    idle = record.phase is Phase.IDLE
    found = (record.notes.get(str(target), ""), published.remark(target, record) if idle else "")
    return tuple(text for text in (*found, *_not_refreshed(target, record)) if text)


def _not_refreshed(target: TargetId, record: Record) -> Iterable[str]:
    """Yield the consumers that could not be asked to read the secret again."""
    for name, nudge in record.nudges.items():
        if nudge.error and any(one.startswith(f"{target}/") for one in nudge.versions):
            yield f"{name} was not asked to read it again: {nudge.error}"


def summary(
    rows: Iterable[Row], now: datetime, last_sweep: LastSweepReply | None = None
) -> SummaryReply:
    """Return counts, and the age of the oldest published key and the next expiry in days."""
    rows = list(rows)
    managed = [r for r in rows if r.account]
    ages = [now - r.born for r in managed if r.born]
    expiries = [r.expires - now for r in managed if r.expires]
    return SummaryReply(
        secrets=len(rows),
        accounts=len({r.account for r in managed}),
        states=dict(Counter(r.state.value for r in rows)),
        oldest_key_days=_days(max(ages, default=None)),
        next_expiry_days=_days(min(expiries, default=None)),
        last_sweep=last_sweep,
    )


def build(row: Row, now: datetime) -> RowReply:
    """Return the reply about a row."""
    return RowReply(
        vault=row.target.vault,
        secret=row.target.name,
        account=str(row.account) if row.account else None,
        account_name=row.account.name if row.account else None,
        slug=row.account.slug if row.account else None,
        state=row.state,
        slot=row.slot,
        published_at=row.published_at,
        age_days=_days(now - row.born if row.born else None),
        expires=row.expires,
        expires_in_days=_days(row.expires - now if row.expires else None),
        next=row.next,
        next_at=row.next_at,
        why=row.why,
        phase=row.phase,
        operation=row.operation,
        last_operation=_last_operation(row.last) if row.last else None,
        error=trouble(row.error),
        problems=list(row.problems),
    )


def _last_operation(last: Operation) -> LastOperationReply:
    return LastOperationReply(
        id=last.id,
        purpose=last.purpose,
        outcome=optional(last.outcome),
        ended_at=optional(last.ended_at),
    )


def _days(span: timedelta | None) -> float | None:
    """Return a duration in days, rounded to one decimal place."""
    return None if span is None else round(span / _DAY, 1)
