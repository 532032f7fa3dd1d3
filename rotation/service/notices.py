"""Event Grid's events, which may be forged, late or repeated: each only makes the service look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from ..domain import events
from ..domain.errors import RotationError
from ..domain.events import Expiring, Ignored, Regenerated
from ..domain.ids import TargetId
from ..engine.failures import delay
from ..engine.journal import Journal
from ..engine.reader import SecretReader
from ..ports import Queue
from ..runtime import log
from . import messages
from .messages import ExpiryNotice, Visit
from .visits import Visits

_MAX_TRIES = 20

# Errors of a stranger's secret or a forged event; only a change of the settings would help.
_HOPELESS = frozenset({"NotBound", "UnknownVault"})


@dataclass
class Notices:
    """Turns events into messages, and the messages into visits."""

    visits: Visits
    journal: Journal
    reader: SecretReader
    queue: Queue

    async def accept(self, event: Any) -> str:
        """Enqueue an event. Return what it asks for, or why it is ignored."""
        found = await self._enqueue(event)
        if isinstance(found, Ignored):
            log.info("event ignored", reason=found.reason)
            return found.reason
        return found

    async def _enqueue(self, event: Any) -> str | Ignored:
        found = events.parse(event, self.reader.vaults.urls)
        if isinstance(found, Ignored):
            return found
        if isinstance(found, Regenerated):
            await self.visits.enqueue(Visit(found.account), timedelta())
            return f"look at {found.account.name}"
        await self.queue.put(messages.dump(ExpiryNotice(found)))
        return f"look at {found.secret}"

    async def accept_all(self, found: Iterable[Any]) -> None:
        """Enqueue the events of one message; each reason to ignore some is logged once."""
        outcomes = [await self._enqueue(event) for event in found]
        for ignored in dict.fromkeys(o for o in outcomes if isinstance(o, Ignored)):
            log.info("event ignored", reason=ignored.reason)

    async def handle(self, notice: ExpiryNotice) -> None:
        """Look at the account of a secret that is about to expire or has changed."""
        try:
            found = await self._to_look_at(notice.event)
        except RotationError as exc:
            if exc.code not in _HOPELESS:
                await self._retry(notice, exc)
                return
            found = Ignored(str(exc))
        if isinstance(found, Ignored):
            log.info("event ignored", secret=notice.event.secret, reason=found.reason)
        else:
            await self.visits.look(found)

    async def _to_look_at(self, event: Expiring) -> Visit | Ignored:
        """Return the visit that an event asks for. Only the due date decides on a rotation."""
        if await self._published(event):
            return Ignored("this service created the version")
        found = await self.reader.find(TargetId(event.vault, event.secret))
        if found is None:
            return Ignored("the secret is not enrolled")
        account, target = found
        if target.version.lower() != event.version.lower():
            return Ignored("a newer version exists")
        return Visit(account, (target.id,))

    async def _published(self, event: Expiring) -> bool:
        """Return whether a new version is our own, by the last listing and the record."""
        target = TargetId(event.vault, event.secret)
        account = self.reader.inventory.remembered(target)
        if event.what != events.IS_NEW or account is None:
            return False
        record = await self.journal.find(account.slug)
        seen = record.seen.get(str(target)) if record else None
        return seen is not None and seen.version.lower() == event.version.lower()

    async def _retry(self, notice: ExpiryNotice, exc: RotationError) -> None:
        secret = notice.event.secret
        log.warning("event waits", secret=secret, reason=exc.advice, code=exc.code)
        if notice.tries >= _MAX_TRIES:
            raise ValueError(f"gave up on an event for {secret}: {exc.code}")
        again = replace(notice, tries=notice.tries + 1)
        await self.queue.put(messages.dump(again), delay(notice.tries))
