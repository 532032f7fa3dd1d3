"""Notifications about membership: a secret was admitted, left, or lost its binding. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime

from msgspec.structs import replace

from ..domain.ids import AccountId, TargetId
from ..domain.membership import Member
from ..domain.record import OUTBOX, Notification, Record
from .membership import Context, Membership

_LEFT = "it was deleted, or its tags were removed or moved"


def announced(record: Record, c: Context, found: Membership) -> Record:
    """Return the record with a notification for each change of membership."""
    withdrawn = [t.id for t in found.withdrawn if not _was_withdrawn(c.member(t.id))]
    changes = [
        *(("admitted", target, "bound and tagged") for target in found.admitted),
        *(("left", target, _LEFT) for target in found.left),
        *(("withdrawn", target, "its binding was removed") for target in withdrawn),
    ]
    news = [notice(c.account, kind, target, why, c.now) for kind, target, why in changes]
    known = {notice.id for notice in record.outbox}
    fresh = [notice for notice in news if notice.id not in known]
    return replace(record, outbox=(*record.outbox, *fresh)[-OUTBOX:]) if fresh else record


def _was_withdrawn(member: Member | None) -> bool:
    return member is not None and member.withdrawn


def notice(
    account: AccountId, kind: str, target: TargetId, reason: str, now: datetime
) -> Notification:
    """Build a notification whose id is the same if the step is repeated within the minute."""
    seed = f"{target}|{kind}|{now:%Y-%m-%dT%H:%M}"
    name = f"{account.slug}-{kind}-{hashlib.sha256(seed.encode()).hexdigest()[:12]}"
    data = {"account": str(account), "secret": str(target), "reason": reason}
    return Notification(name, kind, now, data)
