"""What the triggers call. Each only writes a wish or asks for a visit; the rotator alone acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ..decisions.actions import Kind
from ..domain import events
from ..domain.errors import Permanent, RotationError, unenrolled
from ..domain.events import Expiring, Ignored
from ..domain.model import AccountId, TargetId, target_id
from ..domain.record import Record, Wish
from ..engine.failures import delay
from ..engine.inventory import Inventory
from ..engine.journal import Journal, LastSweep
from ..engine.outcome import Outcome
from ..engine.reconciler import Rotator
from ..ports import Queue, Vaults
from ..runtime import log
from . import inbox as wishes
from . import messages
from .messages import Look, Visit
from .requests import Answer, RotationRequest
from .sweep import Sweep, Swept
from .views import operation as report

_BUSY = timedelta(seconds=10)

_LATE = timedelta(seconds=1)

_MAX_TRIES = 20

MAX_PROBLEMS = 20

_MAX_WISHES = 20


@dataclass
class Triggers:
    """The service behind the function app."""

    rotator: Rotator
    journal: Journal
    inventory: Inventory
    vaults: Vaults
    queue: Queue
    sweeper: Sweep
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()

    async def close(self) -> None:
        """Close all clients."""
        for close in self.closing:
            await close()

    async def event(self, event: Any) -> str:
        """An Event Grid event: enqueue and return at once, because Event Grid waits only 30 s."""
        found = events.parse(event, self.vaults.urls)
        if isinstance(found, Ignored):
            log.info("event ignored", reason=found.reason)
            return found.reason
        await self.queue.put(messages.dump(Look(found)))
        return f"look at {found.secret}"

    async def message(self, text: str) -> None:
        """One queue message. Raises ValueError for one that nobody can read."""
        message = messages.load(text)
        if isinstance(message, Visit):
            await self.visit(message)
        elif isinstance(message, Look):
            await self._look(message)
        else:
            for event in message:
                await self.event(event)

    async def sweep(self) -> Swept:
        """The timer: look at everything."""
        swept = await self.sweeper.run(self.visit, self.enqueue)
        log.info("sweep", accounts=swept.accounts, enqueued=swept.enqueued, stopped=swept.stopped)
        await self._note(swept)
        return swept

    async def _note(self, swept: Swept) -> None:
        """For whoever asks when it last went well; the sweep itself is done."""
        problems, now = swept.problems[:MAX_PROBLEMS], self.inventory.clock.now()
        try:
            await self.journal.note_sweep(LastSweep(now, swept.accounts, problems, swept.stopped))
        except RotationError as exc:
            log.warning("sweep not noted", reason=str(exc), code=exc.code)

    async def visit(self, message: Visit) -> Outcome:
        """Visit an account, and see to it that it is visited again when it asked for that."""
        if message.wake is not None and not await self._is_awaited(message):
            return Outcome(message.account, Kind.WAIT, "another message continues this account")
        outcome = await self.rotator.visit(message.account, message.targets)
        if outcome.busy:
            await self.enqueue(message, _BUSY)
        elif outcome.until and outcome.kind is not Kind.IDLE and self._continues(outcome, message):
            pause = max(outcome.until - self.inventory.clock.now(), timedelta()) + _LATE
            await self.enqueue(Visit(message.account, wake=outcome.until), pause)
        return outcome

    async def enqueue(self, visit: Visit, pause: timedelta) -> None:
        await self.queue.put(messages.dump(visit), pause)

    def _continues(self, outcome: Outcome, message: Visit) -> bool:
        """One chain of messages per account: begun by a new wait, carried on by its own message."""
        return outcome.scheduled or message.wake == outcome.until

    async def _is_awaited(self, message: Visit) -> bool:
        """False where a newer wait has its own message; where nobody can tell, it is looked at."""
        try:
            record, _ = await self.journal.load(message.account)
        except RotationError:
            return True
        return record.waiting_until == message.wake

    async def _look(self, look: Look) -> None:
        try:
            found = await self._wish_for(look.event)
        except RotationError as exc:
            await self._look_again(look, exc)
            return
        if isinstance(found, Ignored):
            log.info("event ignored", secret=look.event.secret, reason=found.reason)
        else:
            await self.visit(found)

    async def _wish_for(self, event: Expiring) -> Visit | Ignored:
        """Note the wish, where the event is about what is still the latest version."""
        target = await self.vaults.read(TargetId(event.vault, event.secret))
        if target is None:
            return Ignored("the secret is not enrolled")
        if target.version.lower() != event.version.lower():
            return Ignored("a newer version exists")
        account, now = target.enrolment.account, self.inventory.clock.now()
        if event.what:
            await self.journal.amend(
                account, lambda r: wishes.added(r, wishes.of_event(r, event, now))
            )
        return Visit(account, (target.id,))

    async def _look_again(self, look: Look, exc: RotationError) -> None:
        log.warning("event waits", secret=look.event.secret, reason=exc.advice, code=exc.code)
        if look.tries >= _MAX_TRIES:
            raise ValueError(f"gave up on an event for {look.event.secret}: {exc.code}")
        again = replace(look, tries=look.tries + 1)
        await self.queue.put(messages.dump(again), delay(look.tries))

    async def request(self, request: RotationRequest) -> Answer:
        """A person's wish: written into the journal, then acted upon by a visit.

        Raises RotationError; Permanent where no such secret or account is enrolled.
        """
        account, known = await self.resolve(request)
        record, _ = await self.journal.load(account)
        earlier = wishes.earlier(record, request.idempotency_key)
        if earlier:
            return Answer(earlier, account)
        if len(record.wishes) >= _MAX_WISHES:
            raise Permanent(
                f"{len(record.wishes)} requests wait for this account already",
                code="TooManyRequests",
                remedy="look at what holds them back: GET /api/rotations/{id}",
            )
        wish = wishes.of_request(account, request, self.inventory.clock.now())
        await self.journal.amend(account, lambda r: wishes.added(r, wish))
        _note(account, wish)
        await self.enqueue(Visit(account, known), timedelta())
        return Answer(wish.id, account)

    async def resolve(self, request: RotationRequest) -> tuple[AccountId, tuple[TargetId, ...]]:
        """The account that a request means, and what is enrolled for it.

        Raises RotationError; Permanent where no such secret or account is enrolled.
        """
        if request.secret is not None:
            target = await self.vaults.read(request.secret)
            if target is not None:
                return target.enrolment.account, (target.id,)
            raise unenrolled(str(request.secret))
        if request.account is None:
            raise ValueError("a request names a secret or an account")
        known = await self.inventory.targets(request.account, ())
        if not known:
            record, _ = await self.journal.load(request.account)
            known = tuple(target_id(text) for text in record.seen)
        if not known:
            raise unenrolled(str(request.account))
        return request.account, known

    async def answer(self, record: Record, said: Wish) -> None:
        """A person's word on an operation: to be acted upon by the visit that is asked for."""
        await self.journal.amend(record.account, lambda r: wishes.added(r, said))
        _note(record.account, said)
        await self.enqueue(Visit(record.account), timedelta())

    async def status(self, operation_id: str) -> dict[str, Any] | None:
        """What is known of an operation, or None where nothing is."""
        record = await self.record(operation_id)
        found = record.find(operation_id) if record else None
        return report.of_operation(record, found) if record and found else None

    async def record(self, operation_id: str) -> Record | None:
        """The record that an operation's id belongs to."""
        slug, _, rest = operation_id.partition("-")
        valid = len(slug) == 16 and rest.isalnum() and slug.isalnum() and slug.isascii()
        return await self.journal.find(slug.lower()) if valid else None


def _note(account: AccountId, wish: Wish) -> None:
    """For the audit trail: who has asked for what, whatever becomes of it."""
    log.info(
        "asked",
        account=str(account),
        id=wish.id,
        kind=wish.kind.value,
        leaked=wish.leaked.value,
        requester=wish.requester,
        role=wish.role,
        reason=wish.reason,
        request=wish.request_id,
    )
