"""Tells the outside what the journal says it should know. Never holds up or fails a rotation."""

from __future__ import annotations

from msgspec.structs import replace

from . import log, report
from .errors import Permanent, RotationError
from .journal import Journal
from .model import AccountId
from .ports import Notifier
from .record import Record


async def empty(journal: Journal, notifier: Notifier | None, account: AccountId) -> None:
    """Send what waits, in order; what cannot be sent now waits for the next visit."""
    record, _ = await journal.load(account)
    told: set[str] = set()
    for notice in record.outbox:
        event = report.event(notice, account)
        log.info("event", type=event["type"], **event["data"])
        try:
            if notifier:
                await notifier.send(event)
        except RotationError as exc:
            log.warning("event not sent", id=notice.id, reason=exc.advice)
            if isinstance(exc, Permanent):
                continue  # this one is refused; those behind it need not be
            break
        told.add(notice.id)
    if told:
        await journal.amend(account, lambda r: _without(r, told))


def _without(record: Record, told: set[str]) -> Record:
    return replace(record, outbox=tuple(n for n in record.outbox if n.id not in told))
