"""The index of a record in the journal's listing: enough to leave an account alone. Pure.

A visit that leaves an account at rest notes a digest of what the vaults' listings show of its
secrets. A sweep compares it with the present listings, and reads neither a record nor a secret.
Anything else, an index of another version too, is visited.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .ids import TargetId
from .operation import Phase
from .policy import Policy
from .record import Record

# Key Vault's times are whole seconds: a change in the same second would not show.
SETTLED = timedelta(seconds=2)

_VERSION, _UNUSED = "1", "unused"

_EPOCH = datetime.fromtimestamp(0, UTC)

_BITS = 128

_PHASES = {Phase.IDLE, Phase.OVERLAP}


class Shown(NamedTuple):
    """A secret's latest version as a listing shows it. Reading that version shows the same."""

    target: TargetId
    enabled: bool
    created: datetime | None
    updated: datetime | None
    expires: datetime | None
    content_type: str
    tags: Mapping[str, str]

    def is_settled(self, now: datetime) -> bool:
        """Return whether a later change would show another time."""
        return self.updated is not None and self.updated + SETTLED <= now


class Standing(NamedTuple):
    """An account at rest: when it wakes up, and what its secrets show. See ``digest``."""

    wake: datetime
    shown: int


def digest(secrets: Iterable[Shown], policy: Policy) -> int:
    """Return a digest of an account's secrets, in any order, under these settings."""
    return total((trace(secret) for secret in secrets), policy)


def total(traces: Iterable[int], policy: Policy) -> int:
    """Return the digest of secrets by their traces."""
    return (_hash(repr(policy)) + sum(traces)) % (1 << _BITS)


def trace(secret: Shown) -> int:
    """Return a number that changes if anything that a listing shows of the secret does."""
    target, enabled, *times, content_type, tags = secret
    seconds = [int(at.timestamp()) if at else 0 for at in times]
    return _hash(
        repr((target.vault, target.name, enabled, seconds, content_type, sorted(tags.items())))
    )


def _hash(text: str) -> int:
    found = hashlib.sha256(text.encode(errors="replace")).digest()
    return int.from_bytes(found[: _BITS // 8], "big")


def index(record: Record) -> str:
    """Return the index of a record for the journal's listing; empty if it must be visited."""
    if record.phase not in _PHASES or has_work(record):
        return ""
    if record.operation is None and not (record.members or record.seen):
        return f"{_VERSION} {_UNUSED}"
    if not record.rest or record.waiting_until is None:
        return ""
    return f"{_VERSION} {int(record.waiting_until.timestamp())} {record.rest}"


def has_work(r: Record) -> bool:
    """Return whether something is to be done, sent or repaired."""
    todo = (r.requests, r.intent, r.outbox, r.nudges, r.blocked, r.last_failure)
    is_whole = r.began_at is None or r.searched
    return any(todo) or not is_whole


def parse(text: str) -> Standing | None:
    """Return an index, or None if the account must be visited."""
    version, _, rest = text.partition(" ")
    wake, _, shown = rest.partition(" ")
    try:
        if version == _VERSION:
            return Standing(_EPOCH + timedelta(seconds=int(wake)), int(shown, 16))
    except (ValueError, OverflowError):
        pass
    return None


def is_unused(text: str) -> bool:
    """Return whether the record has no secrets and nothing to do."""
    return text == f"{_VERSION} {_UNUSED}"
