"""Due date of a secret's rotation: one formula for the engine, the sweep and the views. Pure.

What is written on a secret cannot make its key younger, nor an account rotate without end.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec import UNSET

from ..domain import policy as terms
from ..domain import tags
from ..domain.ids import TargetId
from ..domain.operation import Operation, Purpose
from ..domain.policy import Policy
from ..domain.record import Record
from ..domain.targets import Enrolment, ListedSecret

# Nothing that is written on a secret makes an account rotate sooner after its last rotation.
APART = timedelta(days=7)

# A fleet that is enrolled at once is spread over this many times the usual spread.
_FIRST_SPREAD = 7

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Dated:
    """A secret with all that its due date depends on; ``birth`` is that of the key it shows."""

    secret: TargetId
    enrolment: Enrolment | None
    expires: datetime | None
    birth: datetime | None
    record: Record
    policy: Policy


def of_listing(listed: ListedSecret, record: Record | None, policy: Policy) -> Dated:
    """Return a listed secret; without a birth in the record, its latest version stands in."""
    account = listed.account
    if account is None:
        raise ValueError(f"{listed.target} is not enrolled")
    record = record or Record(account, "")
    birth = record.births.get(record.published or "", listed.created)
    enrolment = tags.read(listed.tags)
    return Dated(listed.target, enrolment, listed.expires, birth, record, policy)


def due_at(d: Dated) -> datetime:
    """Return when the rotation is due."""
    last = last_rotation(d)
    return max(_wanted_at(d), _staggered(d), last + APART if last else _LONG_AGO)


def _wanted_at(d: Dated) -> datetime:
    """Return when the key is nearly too old or the secret near expiry; at once if neither is known.

    A stable part of the spread is subtracted, so that many secrets do not fall due at once.
    """
    undated = d.expires is None and not _was_edited(d)
    if undated and (d.birth is None or last_rotation(d) is None):
        return d.birth or _LONG_AGO
    validity = terms.validity_of(d.enrolment)
    limit = validity / 3
    early = min(d.policy.lead, limit) + min(d.policy.spread, limit) * _spread_fraction(d.secret)
    ends = (d.birth + validity if d.birth else None, counting_expiry(d))
    return min((at for at in ends if at), default=_LONG_AGO + early) - early


def counting_expiry(d: Dated) -> datetime | None:
    """Return the expiry if it counts: one that we wrote, else that of the enrolment until then."""
    ours = {
        int(operation.expires.timestamp())
        for operation in _operations(d.record)
        if operation.expires and str(d.secret) in operation.puts
    }
    published = ours or (d.enrolment and d.enrolment.rotation)
    if d.expires is None or (published and int(d.expires.timestamp()) not in ours):
        return None
    return d.expires if published or not _was_edited(d) else None


def _was_edited(d: Dated) -> bool:
    """Return whether somebody changed the expiry after the secret was enrolled."""
    member = d.record.members.get(str(d.secret))
    return member is not None and member.expires not in (UNSET, d.expires)


def _staggered(d: Dated) -> datetime:
    """Return when a newly admitted secret may first ask; earlier if it would expire before."""
    member = d.record.members.get(str(d.secret))
    if member is None:
        return _LONG_AGO
    at = member.since + _FIRST_SPREAD * d.policy.spread * _spread_fraction(d.secret)
    return min(at, d.expires - terms.overlap_of(d.enrolment, d.policy)) if d.expires else at


def last_rotation(d: Dated) -> datetime | None:
    """Return when the account was last rotated, None if never.

    If its record was lost, that is when the published key was made.
    """
    known = [_first_publish(o) for o in _operations(d.record) if _has_rotated(o)]
    if known:
        return max(known)
    ours = d.record.published_at is not None or (d.enrolment and d.enrolment.rotation)
    return d.birth if ours else None


def _operations(record: Record) -> tuple[Operation, ...]:
    return (*record.history, record.operation) if record.operation else record.history


def _has_rotated(operation: Operation) -> bool:
    published = bool(operation.puts) or operation.overlap_until is not None
    return published and operation.purpose in (Purpose.ROTATE, Purpose.EMERGENCY)


def _first_publish(operation: Operation) -> datetime:
    return min((put.created for put in operation.puts.values()), default=operation.started_at)


@lru_cache(maxsize=16384)
def _spread_fraction(target: TargetId) -> float:
    """Return a stable number from 0 to 1 for each secret."""
    digest = hashlib.sha256(str(target).lower().encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
