"""Admission of a secret that a person names: it is trusted from then on. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from ...decisions.announcements import notice
from ...domain.ids import TargetId
from ...domain.membership import Member
from ...domain.record import OUTBOX, Record


def is_trusted(record: Record, target: TargetId) -> bool:
    """Return whether the secret is a member, and not only because it showed a key."""
    member = record.members.get(str(target))
    return member is not None and not member.shown


def admitted(record: Record, target: TargetId, now: datetime) -> Record | None:
    """Return the record with the secret as a member that a person named; None if it is one."""
    if is_trusted(record, target):
        return None
    before = record.members.get(str(target))
    members = {**record.members, str(target): Member(before.since if before else now)}
    told = notice(record.account, "admitted", target, "a person named it with enrol", now)
    return replace(record, members=members, outbox=(*record.outbox, told)[-OUTBOX:])
