"""The audit trail for an auditor: all operations that have ended, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import UNSET

from ..domain.emergency import Emergency
from ..domain.ids import AccountId
from ..domain.operation import Operation
from ..domain.record import Record
from .queries import Queries
from .replies.audit import AuditRecordReply, AuditReply, AuditVersionReply
from .replies.reply import optional
from .replies.rotation import RotationReply
from .views import rotations

PAGE = 200

_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass
class AuditTrail:
    """Reads the history of all records, and the emergencies' documents."""

    queries: Queries

    async def page(
        self, since: datetime | None = None, account: str = "", after: str = ""
    ) -> AuditReply:
        """Return at most 200 operations that ended at ``since`` or later, after a mark.

        Raises ValueError if ``account`` is not an ARM resource id.
        """
        slug = AccountId.parse(account).slug if account else None
        records = await self.queries.records()
        documents = defaultdict[str, list[Emergency]](list)
        for emergency in await self.queries.emergencies.all():
            documents[emergency.account.slug].append(emergency)
        ended = [
            found
            for one in {*records, *documents}
            if slug in (None, one)
            for found in _ended(records.get(one), documents[one], since or _ALWAYS)
        ]
        rest = sorted((f for f in ended if _mark(f.rotation) > after), key=_order)
        more = len(rest) > PAGE
        return AuditReply(
            records=rest[:PAGE],
            next=_mark(rest[PAGE - 1].rotation) if more else UNSET,
            unread=self.queries.unreadable,
        )


def _ended(
    record: Record | None, documents: Sequence[Emergency], since: datetime
) -> Iterator[AuditRecordReply]:
    for found in rotations.of_account(record, documents):
        ended = found.reply.ended_at
        if ended is not UNSET and ended >= since:
            yield _build(found.reply, record, documents)


def _build(
    reply: RotationReply, record: Record | None, documents: Sequence[Emergency]
) -> AuditRecordReply:
    found = record.find(reply.id) if record else None
    operation = found if isinstance(found, Operation) else None
    ids = rotations.ids_of(operation) if operation else (reply.id,)
    puts = operation.puts if operation else {}
    return AuditRecordReply(
        rotation=reply,
        published_slot=operation.candidate if operation and puts else UNSET,
        revoked_slot=optional(operation.revoke if operation else None),
        new_fingerprint=optional(operation.value if operation else None),
        old_fingerprint=optional(operation.retired if operation else None),
        versions=[
            AuditVersionReply(secret=secret, version=put.version, created=put.created)
            for secret, put in sorted(puts.items())
        ],
        leaked=[pin.fingerprint for e in documents if e.id in ids for pin in e.pins],
    )


def _order(found: AuditRecordReply) -> str:
    return _mark(found.rotation)


def _mark(reply: RotationReply) -> str:
    """Return a text that sorts operations by their end, and then by id."""
    ended = reply.ended_at or _ALWAYS
    return f"{ended.astimezone(UTC):%Y%m%dT%H%M%S.%f}-{reply.id}"
