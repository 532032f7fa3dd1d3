"""An account's operations and requests, with what the documents of its emergencies say. Pure.

Both are needed: a record that was lost, restored or cannot be read must hide no emergency.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ...domain.emergency import Emergency
from ...domain.operation import Operation, Purpose
from ...domain.record import Record
from ...domain.request import Request, RequestKind
from ..replies.rotation import RotationReply
from . import emergency, operation


class Rotation(Struct, frozen=True):
    """The reply about an operation or a request; ``keys`` are idempotency keys and batches."""

    reply: RotationReply
    keys: tuple[str, ...]


def of_account(record: Record | None, documents: Iterable[Emergency]) -> list[Rotation]:
    """Return what the record holds, and each emergency that it does not tell of."""
    known = {found.id: found for found in documents}
    rotations, told = [], set[str]()
    for one in _all(record) if record else ():
        own = known.get(one.id)
        if record is None or (own and is_outdated(one, own)):
            continue
        mine = [known[name] for name in ids_of(one) if name in known]
        told |= {found.id for found in mine if not is_outdated(one, found)}
        reply = emergency.judged(operation.build(record, one), mine)
        rotations.append(Rotation(reply, _keys(one)))
    return rotations + [
        Rotation(emergency.build(found), tuple(filter(None, (found.idempotency_key,))))
        for found in known.values()
        if found.id not in told
    ]


def ids_of(one: Operation | Request) -> tuple[str, ...]:
    """Return the ids under which documents of its emergencies are stored."""
    if isinstance(one, Operation) and one.purpose is Purpose.EMERGENCY:
        return tuple(dict.fromkeys((one.id, *one.requests)))
    return (one.id,)


def is_outdated(one: Operation | Request, found: Emergency) -> bool:
    """Return whether the record contradicts the emergency's document, which decides."""
    if isinstance(one, Request):
        return not found.is_open
    return one.ended_at is not None and found.is_open


def _all(record: Record) -> list[Operation | Request]:
    running = [record.operation] if record.operation else []
    pending = [w for w in record.requests if w.kind in (RequestKind.MANUAL, RequestKind.EMERGENCY)]
    return [*pending, *running, *record.history]


def _keys(one: Operation | Request) -> tuple[str, ...]:
    if isinstance(one, Operation):
        return one.idempotency_keys
    return (one.idempotency_key,) if one.idempotency_key else ()
