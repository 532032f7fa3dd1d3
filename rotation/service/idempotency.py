"""Idempotency keys: only digests are stored, and a key is its caller's own. Pure.

A stored key is ``DIGEST.BODY``: the digest of the caller and the key, and that of the request.
Earlier versions stored the caller's key itself, which still matches. A batch is named by us.
"""

from __future__ import annotations

import hashlib
import re

import msgspec
from msgspec.structs import replace

from ..domain.errors import Permanent
from ..domain.record import Record
from ..domain.request import Request, RequestKind
from .requests import RotationRequest

REUSED = "IdempotencyKeyReused"

_STORED = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{12}")


def stored(request: RotationRequest) -> str | None:
    """Return what to store of a request's key; a batch keeps its name."""
    if request.batch:
        return request.batch
    if request.idempotency_key is None:
        return None
    plain = replace(request, idempotency_key=None, dry_run=False, role=None, request_id=None)
    members = msgspec.to_builtins(plain)
    if not plain.drill:
        del members["drill"]  # earlier versions did not have it
    body = hashlib.sha256(msgspec.json.encode(members)).hexdigest()[:12]
    return f"{_owner(request.requester, request.idempotency_key)}.{body}"


def batch_of(request: RotationRequest) -> str | None:
    """Return the name of a repeated batch, or None if its request has no key."""
    key = stored(request)
    return f"batch-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else None


def parts(request: RotationRequest) -> tuple[str, str] | None:
    """Return the digests of caller and key, and of the request; None without a key."""
    key = stored(replace(request, batch=None))
    return (key.partition(".")[0], key.partition(".")[2]) if key else None


def reused() -> Permanent:
    """Return the error for a key that its caller used for another request."""
    return Permanent(
        "this Idempotency-Key was used for another request",
        code=REUSED,
        remedy="use a new key for each request, and the same one to repeat it",
    )


def find(record: Record, request: Request) -> str | None:
    """Return the id of the request or operation that has the same key.

    Raises Permanent if the same caller used the key for another request; not in an emergency.
    """
    wanted = request.idempotency_key
    if wanted is None:
        return None
    owner, in_emergency = wanted.partition(".")[0], request.kind is RequestKind.EMERGENCY
    for one, key in _known(record):
        if key == wanted or (_plain(request, key) == owner and _is_same(record, one, request)):
            return one
        if key.partition(".")[0] == owner and not in_emergency:
            raise reused()
    return None


def _plain(request: Request, key: str) -> str | None:
    """Return the digest of a key that an earlier version stored as it was; None for a digest."""
    return None if _STORED.fullmatch(key) else _owner(request.requester, key)


def _is_same(record: Record, known: str, request: Request) -> bool:
    """Return whether an earlier version's request reports the same leak."""
    found = record.find(known)
    return found is not None and found.leaked is request.leaked


def _owner(requester: str, key: str) -> str:
    return hashlib.sha256(f"{requester}|{key}".encode()).hexdigest()[:32]


def _known(record: Record) -> list[tuple[str, str]]:
    """Return the keys of all operations and requests, each with the id of its owner."""
    operations = [o for o in (record.operation, *record.history) if o]
    of_operations = [(o.id, key) for o in operations for key in o.idempotency_keys]
    return of_operations + [(r.id, r.idempotency_key) for r in record.requests if r.idempotency_key]
