"""Triggers' wishes: made, and put into the record at most once. Pure but for random ids."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain.events import Expiring
from ..domain.model import AccountId
from ..domain.record import Leaked, Purpose, Record, Wish, WishKind
from .requests import RotationRequest


def added(record: Record, wish: Wish) -> Record | None:
    """The record with one more wish; None where it is there already or was fulfilled."""
    return None if record.find(wish.id) else replace(record, wishes=(*record.wishes, wish))


def of_event(record: Record, event: Expiring, now: datetime) -> Wish:
    """The same for every delivery of an event about the same version."""
    seed = f"{event.vault}|{event.secret}|{event.version}".lower()
    name = f"{record.account.slug}-{hashlib.sha256(seed.encode()).hexdigest()[:12]}"
    return Wish(
        id=name,
        kind=WishKind.EXPIRY,
        reason=f"{event.secret} {event.what}",
        requester="Event Grid",
        at=now,
        secret=event.secret,
        version=event.version,
    )


def of_request(account: AccountId, request: RotationRequest, now: datetime) -> Wish:
    """A person's wish; with something leaked it is an emergency."""
    emergency = request.leaked is not Leaked.NONE
    return Wish(
        id=new_id(account),
        kind=WishKind.EMERGENCY if emergency else WishKind.MANUAL,
        reason=request.reason,
        requester=request.requester,
        at=now,
        leaked=request.leaked,
        overlap=request.overlap,
        idempotency_key=request.idempotency_key,
        role=request.role,
        request_id=request.request_id,
    )


def earlier(record: Record, key: str | None) -> str | None:
    """The id of what the same idempotency key asked for before."""
    if key is None:
        return None
    for operation in (record.operation, *record.history):
        if operation and key in operation.idempotency_keys:
            return operation.id
    return next((w.id for w in record.wishes if w.idempotency_key == key), None)


def covering(record: Record, request: RotationRequest) -> str | None:
    """The id of what waits or runs already and would do all that the request asks for."""
    wanted = WishKind.EMERGENCY if request.is_emergency else WishKind.MANUAL
    same = (w for w in record.wishes if w.kind is wanted and _covers(w.leaked, request.leaked))
    waiting = next(same, None)
    if waiting:
        return waiting.id
    running = record.operation
    if running is None or running.purpose not in (Purpose.ROTATE, Purpose.EMERGENCY):
        return None
    if not request.is_emergency:
        return running.id
    quick = running.overlap <= (request.overlap or timedelta())
    if running.purpose is Purpose.ROTATE or record.blocked or not quick:
        return None
    return running.id if _covers(running.leaked, request.leaked) else None


def _covers(leaked: Leaked, reported: Leaked) -> bool:
    return leaked in (reported, Leaked.UNKNOWN)


def without(record: Record, wish_id: str) -> Record:
    """The record without one wish."""
    return replace(record, wishes=tuple(w for w in record.wishes if w.id != wish_id))


def new_batch() -> str:
    """A name for requests that were made together."""
    return f"batch-{secrets.token_hex(6)}"


def new_id(account: AccountId) -> str:
    """Begins with the account's slug, by which the record is found again."""
    return f"{account.slug}-{secrets.token_hex(6)}"
