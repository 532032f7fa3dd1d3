"""Replies about emergencies, from their documents. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from ...domain.emergency import Emergency, Verdict
from ...domain.errors import Permanent
from ...domain.keys import Slot
from ...domain.operation import Phase, Purpose
from ...domain.record import Failure, Record
from ..replies.reply import optional
from ..replies.rotation import AuditEntryReply, NotRevokedReply, RotationReply, RotationState

# Begins every sentence about a leaked key that still works.
NOT_REVOKED = "NOT REVOKED: "

_REPORT_AGAIN = "rotate the account's keys, or report the leak again"

_STATES = {Verdict.OPEN: RotationState.WAITING, Verdict.CANCELLED: RotationState.CANCELLED}

OUTCOMES = {
    Verdict.REFUSED: "the leaked key is refused",
    Verdict.NOT_PROVEN: "regenerated, not proven: the leaked key cannot be tried any longer",
    Verdict.CANCELLED: "cancelled",
    Verdict.ABANDONED: "abandoned",
}


def build(found: Emergency) -> RotationReply:
    """Return the reply about an emergency that no record names."""
    reply = RotationReply(
        id=found.id,
        account=str(found.account),
        state=_STATES.get(found.verdict, RotationState.ENDED),
        purpose=Purpose.EMERGENCY,
        phase=Phase.IDLE,
        reason=found.reason,
        requester=found.requester,
        role=optional(found.role),
        request_id=optional(found.request_id),
        leaked=found.leaked,
        requested_at=found.at,
        ended_at=optional(found.closed_at),
        outcome=optional(OUTCOMES.get(found.verdict)),
    )
    return judged(reply, [found])


def judged(reply: RotationReply, found: Iterable[Emergency]) -> RotationReply:
    """Return a reply with what the documents of its emergencies say."""
    mine = tuple(found)
    if not mine:
        return reply
    audit, requested = _merged(reply.audit or (), mine), min(e.at for e in mine)
    reply = replace(reply, audit=audit, requested_at=requested)
    held = next((e for e in mine if e.is_open and e.why), None)
    if held:
        why = NotRevokedReply(reason=held.why, remedy=held.remedy)
        return replace(reply, revoked=False, not_revoked=why)
    revoked = True if all(e.verdict is Verdict.REFUSED for e in mine) else None
    refused = [pin.refused_at for e in mine for pin in e.pins if pin.refused_at and revoked]
    latest = max(refused) if refused else UNSET
    return replace(reply, revoked=revoked, not_revoked=UNSET, refused_at=latest)


def unreadable(reply: RotationReply, why: Permanent) -> RotationReply:
    """Return the reply about an emergency whose document is lost to this version."""
    if reply.ended_at:
        return reply
    told = NotRevokedReply(reason=str(why), remedy=why.remedy)
    return replace(reply, revoked=False, not_revoked=told)


def _merged(
    audit: tuple[AuditEntryReply, ...], found: Iterable[Emergency]
) -> tuple[AuditEntryReply, ...]:
    """Return an audit trail with the entries of the documents that it does not repeat."""
    more = [
        AuditEntryReply(at=entry.at, what=entry.what)
        for one in found
        for entry in one.audit
        if not any(entry.what in known.what for known in audit)
    ]
    return tuple(sorted((*audit, *more), key=lambda entry: entry.at))


def is_left(found: Emergency, record: Record | None) -> bool:
    """Return whether a leaked key may still work, although its emergency was abandoned."""
    if found.verdict is not Verdict.ABANDONED or record is None:
        return False
    slots = {pin.slot for pin in found.pins if not (pin.gone or pin.refused_at)}
    if not found.pins:
        slots = {found.leaked.slot} if found.leaked.slot else {*Slot}
    return any(not _is_replaced(slot, record, found.at) for slot in slots)


def _is_replaced(slot: Slot, record: Record, since: datetime) -> bool:
    born = record.births.get(record.known_keys.get(slot, ""))
    return born is not None and born > since


def failure(found: Emergency) -> Failure:
    """Return what the overview shows of an account whose leaked key is not revoked."""
    why, remedy = found.why, found.remedy
    if not found.is_open:
        why, remedy = "the emergency was abandoned", _REPORT_AGAIN
    return Failure("NotRevoked", f"{NOT_REVOKED}{why}", remedy, found.at)
