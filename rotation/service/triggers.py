"""Handlers of the timers, of queue messages and of Event Grid events.

They only record requests and enqueue visits; the reconciler acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..domain.errors import RotationError
from ..engine.emergencies import Emergencies
from ..engine.journal import Journal, LastSweep, SweepNote
from ..runtime import log
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from . import messages
from .messages import ExpiryNotice, Visit
from .notices import Notices
from .sweep import Sweep, SweepResult
from .visits import Visits

_RESPONSES = 16  # emergencies at once

MAX_PROBLEMS = 20


@dataclass
class Triggers:
    """The handlers that the function app calls."""

    visits: Visits
    notices: Notices
    sweeper: Sweep
    emergencies: Emergencies
    journal: Journal
    clock: Clock

    async def handle_event(self, event: Any) -> str:
        """Enqueue an Event Grid event and return at once, because Event Grid waits only 30 s."""
        return await self.notices.accept(event)

    async def handle_message(self, text: str, *, urgent: bool = False) -> None:
        """Handle one queue message. Raises ValueError if it cannot be read.

        ``urgent`` is true for a message of the emergencies' queue.
        """
        message = messages.load(text)
        if isinstance(message, Visit):
            await self.visits.handle(message, urgent)
        elif isinstance(message, ExpiryNotice):
            await self.notices.handle(message)
        else:
            await self.notices.accept_all(message)

    async def sweep(self) -> SweepResult:
        """Visit all accounts, as the timer asks."""
        note = await self._sweep_note()
        last = note.sweep.compared if note and note.sweep else None
        began = self.clock.now()
        result = await self.sweeper.run(self.visits.visit, self.visits.enqueue, last)
        log.info(
            "sweep", accounts=result.accounts, enqueued=result.enqueued, stopped=result.stopped
        )
        await self._record_sweep(result, began, note)
        return result

    async def _sweep_note(self) -> SweepNote | None:
        """Return the note of the last sweep, or None if it cannot be read now."""
        try:
            return await self.journal.sweep_note()
        except RotationError as exc:
            log.warning("sweep not noted", reason=exc.advice, code=exc.code)
            return None

    async def _record_sweep(
        self, result: SweepResult, began: datetime, note: SweepNote | None
    ) -> None:
        """Store the sweep for ``GET /api/health``; a failure does not undo the sweep."""
        problems = result.problems[:MAX_PROBLEMS]
        unread = result.unread[:MAX_PROBLEMS]
        done = LastSweep(
            self.clock.now(),
            result.accounts,
            problems,
            result.stopped,
            unread=unread,
            compared=began,
        )
        try:
            await self.journal.note_sweep(done, note)
        except RotationError as exc:
            log.warning("sweep not noted", reason=str(exc), code=exc.code)

    async def respond(self) -> None:
        """Go on with every open emergency, even if its messages and its record are lost."""
        now = self.clock.now()
        found = await self.emergencies.open()
        for name, why in self.emergencies.unreadable.items():
            log.error("emergency", id=name, state="not-revoked", reason=why)
        due = {e.account for e in found if e.look_at is None or e.look_at <= now}
        await gather_limited(
            (self.visits.visit(Visit(account), urgent=True) for account in due), _RESPONSES
        )
