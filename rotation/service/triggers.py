"""Handlers of the timer, of queue messages and of Event Grid events.

They only record requests and enqueue visits; the reconciler acts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from ..decisions.actions import ActionKind
from ..domain import events
from ..domain.errors import RotationError, Transient, Unreadable
from ..domain.events import Expiring, Ignored, Regenerated
from ..domain.ids import AccountId, TargetId
from ..engine.emergencies import Emergencies
from ..engine.failures import delay
from ..engine.journal import Journal, LastSweep
from ..engine.outcome import Outcome
from ..engine.reader import SecretReader
from ..engine.reconciler import Reconciler
from ..ports import Queue, Vaults
from ..runtime import log
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from . import messages
from .messages import ExpiryNotice, Visit
from .sweep import Sweep, SweepResult
from .visit_limit import VisitLimit

_BUSY = timedelta(seconds=10)

_LATE = timedelta(seconds=1)

_MAX_TRIES = 20

# Errors of a stranger's secret or a forged event; only a change of the settings would help.
_HOPELESS = frozenset({"NotBound", "UnknownVault"})

_MAX_RETRIES = 8

_RESPONSES = 16  # emergencies at once

MAX_PROBLEMS = 20


@dataclass
class Triggers:
    """The handlers that the function app calls."""

    reconciler: Reconciler
    sweeper: Sweep
    journal: Journal
    vaults: Vaults
    reader: SecretReader
    queue: Queue
    clock: Clock
    emergencies: Emergencies
    urgent: Queue
    _limit: VisitLimit = field(default_factory=VisitLimit)

    async def handle_event(self, event: Any) -> str:
        """Enqueue an Event Grid event and return at once, because Event Grid waits only 30 s."""
        found = await self._enqueue_event(event)
        if isinstance(found, Ignored):
            log.info("event ignored", reason=found.reason)
            return found.reason
        return found

    async def _enqueue_event(self, event: Any) -> str | Ignored:
        found = events.parse(event, self.vaults.urls)
        if isinstance(found, Ignored):
            return found
        if isinstance(found, Regenerated):
            await self.enqueue(Visit(found.account), timedelta())
            return f"look at {found.account.name}"
        await self.queue.put(messages.dump(ExpiryNotice(found)))
        return f"look at {found.secret}"

    async def handle_message(self, text: str, *, urgent: bool = False) -> None:
        """Handle one queue message. Raises ValueError if it cannot be read.

        ``urgent`` is true for a message of the emergencies' queue.
        """
        message = messages.load(text)
        if isinstance(message, Visit):
            await self._handle_visit(message, urgent)
        elif isinstance(message, ExpiryNotice):
            await self._handle_expiry(message)
        else:
            await self._handle_events(message)

    async def _handle_events(self, found: Iterable[Any]) -> None:
        """Enqueue the events of one message; each reason to ignore some is logged once."""
        outcomes = [await self._enqueue_event(event) for event in found]
        for ignored in dict.fromkeys(o for o in outcomes if isinstance(o, Ignored)):
            log.info("event ignored", reason=ignored.reason)

    async def _handle_visit(self, message: Visit, urgent: bool) -> None:
        if message.wake is not None and message.wake <= self.clock.now():
            await self.visit(message, urgent=urgent)  # unless the account waits for another time
        elif not await self._may_look(message):
            await self._defer(message, urgent)
        elif message.wake is not None:
            await self.visit(message, urgent=urgent)
        else:
            await self._visit_known(message, urgent)

    async def _visit_known(self, message: Visit, urgent: bool) -> None:
        """Visit an account that something names; a message that anybody may forge names nothing."""
        try:
            known = await self._is_known(message)
        except Transient as exc:
            log.warning("event waits", reason=exc.advice, code=exc.code)
            await self._visit_again(message, urgent)
            return
        if known:
            await self.visit(message, urgent=urgent)
        else:
            log.info("event ignored", reason=f"nothing is known of {message.account}")

    async def _may_look(self, message: Visit) -> bool:
        """Return whether to look at the account now: once a minute, and at a new request."""
        now = self.clock.now()
        last = self._limit.last(message.account, now)
        if last is not None and not await self._is_asked(message.account, last):
            return False
        self._limit.note(message.account, now)
        return True

    async def _is_asked(self, account: AccountId, since: datetime) -> bool:
        try:
            record = await self.journal.find(account.slug)
        except RotationError:
            return False
        return record is not None and any(request.at >= since for request in record.requests)

    async def _defer(self, message: Visit, urgent: bool = False) -> None:
        """Look later, once for all messages that come in until then."""
        pause = self._limit.defer(message.account, self.clock.now())
        if pause is not None:
            await self._put(Visit(message.account, message.targets), pause, urgent)
        log.info("event ignored", reason="the account was looked at less than a minute ago")

    async def _is_known(self, message: Visit) -> bool:
        """Return whether a record or a secret names the account; a message alone does not count.

        Raises Transient if a vault cannot tell now.
        """
        try:
            if await self.journal.find(message.account.slug):
                return True
            if await self.reader.inventory.listed(message.account):
                return True
            found = [await self.reader.find(t) for t in message.targets if self._has(t)]
        except Unreadable:
            return True
        except RotationError as exc:
            if isinstance(exc, Transient) and not exc.of_service:
                raise
            log.warning("event waits", reason=exc.advice, code=exc.code)
            return exc.of_service
        return any(pair and pair[0] == message.account for pair in found)

    def _has(self, target: TargetId) -> bool:
        return target.vault in self.vaults.urls

    async def sweep(self) -> SweepResult:
        """Visit all accounts, as the timer asks."""
        result = await self.sweeper.run(self.visit, self.enqueue)
        log.info(
            "sweep", accounts=result.accounts, enqueued=result.enqueued, stopped=result.stopped
        )
        await self._record_sweep(result)
        return result

    async def _record_sweep(self, result: SweepResult) -> None:
        """Store the sweep for ``GET /api/health``; a failure does not undo the sweep."""
        problems = result.problems[:MAX_PROBLEMS]
        unread = result.unread[:MAX_PROBLEMS]
        last = LastSweep(self.clock.now(), result.accounts, problems, result.stopped, unread=unread)
        try:
            await self.journal.note_sweep(last)
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
            (self.visit(Visit(account), urgent=True) for account in due), _RESPONSES
        )

    async def visit(self, message: Visit, *, urgent: bool = False) -> Outcome:
        """Reconcile an account and schedule the next visit it needs.

        After an ``urgent`` visit, that is a message of the emergencies' queue too.
        """
        outcome = await self.reconciler.reconcile(
            message.account, message.targets, message.wake, routine=message.routine
        )
        if outcome.retry_now:
            await self._visit_again(message, urgent)
        elif outcome.until and _should_requeue(outcome, message):
            pause = max(outcome.until - self.clock.now(), timedelta()) + _LATE
            await self._put(Visit(message.account, wake=outcome.until), pause, urgent)
        return outcome

    async def _visit_again(self, message: Visit, urgent: bool) -> None:
        """Enqueue it with a growing delay; after some tries, the next sweep starts again."""
        if message.tries < _MAX_RETRIES:
            again = replace(message, tries=message.tries + 1)
            await self._put(again, max(_BUSY, delay(message.tries)), urgent)

    async def enqueue(self, visit: Visit, pause: timedelta) -> None:
        """Enqueue a visit that becomes visible after ``pause``."""
        await self._put(visit, pause)

    async def _put(self, visit: Visit, pause: timedelta, urgent: bool = False) -> None:
        await (self.urgent if urgent else self.queue).put(messages.dump(visit), pause)

    async def _handle_expiry(self, notice: ExpiryNotice) -> None:
        try:
            found = await self._to_look_at(notice.event)
        except RotationError as exc:
            if exc.code not in _HOPELESS:
                await self._retry(notice, exc)
                return
            found = Ignored(str(exc))
        if isinstance(found, Ignored):
            log.info("event ignored", secret=notice.event.secret, reason=found.reason)
        elif await self._may_look(found):
            await self.visit(found)
        else:
            await self._defer(found)

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


def _should_requeue(outcome: Outcome, message: Visit) -> bool:
    """Keep one chain of messages per account: a new wait begins it, its message continues it."""
    if outcome.kind is ActionKind.IDLE:
        return False
    return outcome.new_wait or message.wake == outcome.until
