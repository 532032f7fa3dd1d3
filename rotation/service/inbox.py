"""Requests as they enter an account's record, each at most once. Pure but for random ids."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain.access import Caller
from ..domain.ids import AccountId
from ..domain.operation import Purpose
from ..domain.record import Record
from ..domain.request import Leaked, Request, RequestKind
from . import idempotency
from .requests import AlreadyRunning, RotationRequest, too_many

_MAX_PENDING = 20


def from_operator(account: AccountId, request: RotationRequest, now: datetime) -> Request:
    """Return an operator's request; it is an emergency if a key has leaked."""
    return Request(
        id=_id_of(account, request),
        kind=RequestKind.EMERGENCY if request.is_emergency else RequestKind.MANUAL,
        reason=f"drill: {request.reason}" if request.drill else request.reason,
        requester=request.requester,
        at=now,
        leaked=request.leaked,
        overlap=request.overlap,
        idempotency_key=idempotency.stored(request),
        secret=str(request.secret) if request.secret else None,
        role=request.role,
        request_id=request.request_id,
    )


def _id_of(account: AccountId, request: RotationRequest) -> str:
    """Return an id; for an emergency the same for the same idempotency key.

    So two posts with one key make one document, even at the same time.
    """
    key = idempotency.stored(request)
    if not request.is_emergency or key is None:
        return new_id(account)
    return f"{account.slug}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def from_answer(
    account: AccountId, kind: RequestKind, caller: Caller, reason: str, now: datetime
) -> Request:
    """Return an operator's answer to an operation: cancel, resume or abandon."""
    return Request(
        id=new_id(account),
        kind=kind,
        reason=reason,
        requester=caller.name,
        at=now,
        role=caller.role,
        request_id=caller.call,
    )


def added(record: Record, request: Request) -> Record | None:
    """Return the record with the request, or None if it is already there or was fulfilled."""
    return (
        None if record.find(request.id) else replace(record, requests=(*record.requests, request))
    )


def admitted(record: Record, request: Request) -> Record | None:
    """Return the record with an operator's request, or None if its idempotency key is known.

    Raises AlreadyRunning if it is covered already, and Permanent if too many are pending.
    """
    if idempotency.find(record, request):
        return None
    covering = find_covering(record, request)
    if covering:
        raise AlreadyRunning(covering)
    if len(record.requests) >= _MAX_PENDING:
        raise too_many(len(record.requests))
    return added(record, request)


def removed(record: Record, request_id: str) -> Record:
    """Return the record without one request."""
    return replace(record, requests=tuple(r for r in record.requests if r.id != request_id))


def find_covering(record: Record, request: Request) -> str | None:
    """Return the id of a pending or running operation that does all that a request wants."""
    same_kind = (r for r in record.requests if r.kind is request.kind)
    pending = (r for r in same_kind if _covers(r.leaked, request.leaked))
    found = next(pending, None)
    if found:
        return found.id
    running = record.operation
    if running is None or running.purpose not in (Purpose.ROTATE, Purpose.EMERGENCY):
        return None
    if request.kind is not RequestKind.EMERGENCY:
        return running.id
    quick = running.overlap <= (request.overlap or timedelta())
    if running.purpose is Purpose.ROTATE or record.blocked or not quick:
        return None
    return running.id if _covers(running.leaked, request.leaked) else None


def _covers(leaked: Leaked, reported: Leaked) -> bool:
    return leaked in (reported, Leaked.UNKNOWN)


def new_batch() -> str:
    """Return a name for requests that were made together."""
    return f"batch-{secrets.token_hex(6)}"


def new_id(account: AccountId) -> str:
    """Return an id that begins with the account's slug, which names the record."""
    return f"{account.slug}-{secrets.token_hex(6)}"
