"""Visits to accounts that messages ask for, and the message that continues each of them.

Anybody may forge a message, so that one alone starts little: a look a minute at each account, and
only at an account that a record or a secret names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..decisions.actions import ActionKind
from ..domain.errors import RotationError, Transient, Unreadable
from ..domain.ids import AccountId
from ..engine.failures import delay
from ..engine.journal import Journal
from ..engine.outcome import Outcome
from ..engine.pressures import Pressures
from ..engine.reader import SecretReader
from ..engine.reconciler import Reconciler
from ..ports import Queue
from ..runtime import log
from ..runtime.clock import Clock
from . import messages
from .messages import Visit
from .visit_limit import VisitLimit

_BUSY = timedelta(seconds=10)

_LATE = timedelta(seconds=1)

_MAX_RETRIES = 8

_MAX_LOOKS = 3


@dataclass
class Visits:
    """Visits accounts and enqueues the next visit of each. ``urgent``: the emergencies' queue."""

    reconciler: Reconciler
    journal: Journal
    reader: SecretReader
    queue: Queue
    urgent: Queue
    clock: Clock
    pressures: Pressures = field(default_factory=Pressures)
    _limit: VisitLimit = field(default_factory=VisitLimit)

    async def handle(self, message: Visit, urgent: bool) -> None:
        """Visit the account that a message names, now or later."""
        if not urgent and await self._stands_back(message):
            return
        if message.wake is not None and message.wake <= self.clock.now():
            await self.visit(message, urgent=urgent)  # unless the account waits for another time
        elif not await self._may_look(message):
            await self._defer(message, urgent)
        elif message.wake is not None:
            await self.visit(message, urgent=urgent)
        else:
            await self._visit_known(message, urgent)

    async def look(self, visit: Visit) -> None:
        """Visit an account unless it was visited less than a minute ago; then, a little later."""
        if await self._may_look(visit):
            await self.visit(visit)
        else:
            await self._defer(visit)

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

    async def _stands_back(self, message: Visit) -> bool:
        """Put normal work off while Azure has few calls left for it.

        After some tries, what a sweep only looks at is left to the next one.

        An emergency whose message is in the work queue is visited by the timer too.
        """
        now, vaults = self.clock.now(), {target.vault for target in message.targets}
        who = f"{message.account.slug}-{message.wake}"
        pause = self.pressures.pause({message.account.subscription, *vaults}, who, now)
        if not pause:
            return False
        if not message.routine:
            await self.enqueue(message, pause)
        elif message.tries < _MAX_LOOKS:
            await self.enqueue(replace(message, tries=message.tries + 1), pause)
        log.info("visit waits", account=str(message.account), seconds=pause.total_seconds())
        return True

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
            found = [
                await self.reader.find(t)
                for t in message.targets
                if t.vault in self.reader.vaults.urls
            ]
        except Unreadable:
            return True
        except RotationError as exc:
            if isinstance(exc, Transient) and not exc.of_service:
                raise
            log.warning("event waits", reason=exc.advice, code=exc.code)
            return exc.of_service
        return any(pair and pair[0] == message.account for pair in found)


def _should_requeue(outcome: Outcome, message: Visit) -> bool:
    """Keep one chain of messages per account: a new wait begins it, its message continues it."""
    if outcome.kind is ActionKind.IDLE:
        return False
    return outcome.new_wait or message.wake == outcome.until
