"""Delivers queued notifications. Failures never block a rotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ..decisions.notifications import ENDED
from ..domain.errors import Permanent, RotationError
from ..domain.ids import AccountId
from ..domain.record import Notification, Record
from ..ports import Notifier
from ..runtime import log, metrics
from .journal import Journal


def cloud_event(notification: Notification, account: AccountId) -> dict[str, Any]:
    """Return the CloudEvent of a notification for ``ports.Notifier``."""
    return {
        "id": notification.id,
        "type": f"KeyRotation.{notification.type[:1].upper()}{notification.type[1:]}",
        "subject": f"accounts/{account.name}",
        "time": notification.at,
        "data": dict(notification.data),
    }


async def deliver_pending(journal: Journal, notifier: Notifier | None, account: AccountId) -> None:
    """Send waiting notifications in order; the next visit retries those that failed."""
    record, _ = await journal.load(account)
    delivered: set[str] = set()
    for notification in record.outbox:
        event = cloud_event(notification, account)
        _log(notification, event)
        try:
            if notifier:
                await notifier.send(event)
        except RotationError as exc:
            log.warning("event not sent", id=notification.id, reason=exc.advice)
            if isinstance(exc, Permanent):
                continue  # this one is refused; later ones may not be
            break
        delivered.add(notification.id)
        if notification.type == ENDED:
            metrics.ended(notification.data)
    if delivered:
        await journal.amend(account, lambda r: _without(r, delivered))


def _log(notification: Notification, event: Mapping[str, Any]) -> None:
    """Log a notification: at least once, like the event itself."""
    if notification.type == ENDED:
        rest = {name: text for name, text in notification.data.items() if name != "operation"}
        log.info("audit", id=notification.data["operation"], **rest)
    else:
        log.info("event", type=event["type"], **event["data"])


def _without(record: Record, delivered: set[str]) -> Record:
    return replace(record, outbox=tuple(n for n in record.outbox if n.id not in delivered))
