"""Tells the outside what the journal says it should know. Never holds up or fails a rotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ..decisions.lifecycle import ENDED
from ..domain.errors import Permanent, RotationError
from ..domain.ids import AccountId
from ..domain.record import Notification, Record
from ..ports import Notifier
from ..runtime import log, metrics
from .journal import Journal


def cloud_event(notice: Notification, account: AccountId) -> dict[str, Any]:
    """A CloudEvent's attributes for ``ports.Notifier``."""
    return {
        "id": notice.id,
        "type": f"KeyRotation.{notice.type.capitalize()}",
        "subject": f"accounts/{account.name}",
        "time": notice.at,
        "data": dict(notice.data),
    }


async def deliver_pending(journal: Journal, notifier: Notifier | None, account: AccountId) -> None:
    """Send what waits, in order; what cannot be sent now waits for the next visit."""
    record, _ = await journal.load(account)
    delivered: set[str] = set()
    for notice in record.outbox:
        event = cloud_event(notice, account)
        _log(notice, event)
        try:
            if notifier:
                await notifier.send(event)
        except RotationError as exc:
            log.warning("event not sent", id=notice.id, reason=exc.advice)
            if isinstance(exc, Permanent):
                continue  # this one is refused; those behind it need not be
            break
        delivered.add(notice.id)
        if notice.type == ENDED:
            metrics.ended(notice.data)
    if delivered:
        await journal.amend(account, lambda r: _without(r, delivered))


def _log(notice: Notification, event: Mapping[str, Any]) -> None:
    """A notice that has to be sent again is logged again: at least once, like the event itself."""
    if notice.type == ENDED:
        rest = {name: text for name, text in notice.data.items() if name != "operation"}
        log.info("audit", id=notice.data["operation"], **rest)
    else:
        log.info("event", type=event["type"], **event["data"])


def _without(record: Record, delivered: set[str]) -> Record:
    return replace(record, outbox=tuple(n for n in record.outbox if n.id not in delivered))
