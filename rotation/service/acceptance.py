"""Accepts an emergency: its document, with the leaked values pinned, before anything else.

The document is what is never forgotten. The request in the account's record lets an earlier
version act on it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..decisions.pacing import Turn
from ..domain import emergency
from ..domain.access import Caller
from ..domain.emergency import Emergency, Pin, Verdict
from ..domain.errors import NO_SUCH_ACCOUNT, Permanent, RotationError, Unreadable
from ..domain.ids import AccountId
from ..domain.keys import Keys, Slot
from ..domain.operation import AuditEntry, Operation
from ..domain.record import Record
from ..domain.request import Request, RequestKind
from ..engine.emergencies import Emergencies
from ..engine.handover import Listed
from ..engine.journal import Journal
from ..engine.responder import new_salt
from ..ports import Accounts, Queue
from ..runtime import log
from ..runtime.clock import Clock
from . import idempotency, inbox, messages
from .messages import Visit
from .replies.rotation import RotationReply
from .requests import RotationRequest, log_request, too_late, unknown_account
from .scope import Scope
from .views import emergency as view

ANSWERS = {
    RequestKind.RESUME: "The emergency is looked at now, and goes on",
    RequestKind.ABANDON: "The emergency ends; the leaked key is NOT revoked",
}

# Why one of many emergencies has not begun.
_TURN = "it waits for its turn, because Resource Manager limits the calls of a subscription"

# The turn of a single emergency.
NOW = Turn()

# The person who reports a leak waits for the answer.
ARM_PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True)
class Acceptance:
    """Accepts emergencies. Only an unknown account or a failing store refuses one."""

    scope: Scope
    emergencies: Emergencies
    accounts: Accounts
    journal: Journal
    queue: Queue
    clock: Clock

    async def request(
        self, request: RotationRequest, *, ask_arm: bool, turn: Turn = NOW
    ) -> tuple[str, AccountId, bool]:
        """Accept an emergency of one account. Return its id, its account, and whether it is new.

        Of a repeated request, the id is that of the earlier one. Of many at once, each has its
        ``turn``, when its calls fit into the limits of its subscription.

        With ``ask_arm`` the leaked values are pinned as ARM lists them now. Otherwise, or if ARM
        fails, they are pinned as the record remembers them, until the first listing. Raises
        Permanent if ARM answers that the account does not exist and nothing else knows it.
        """
        account, targets = await self.scope.emergency(request)
        new = inbox.from_operator(account, request, self.clock.now())
        earlier = await self._earlier(new)
        if earlier:
            return earlier, account, False
        await self._store(account, new, request, ask_arm=ask_arm, turn=turn)
        log_request(account, new)
        await self._announce(Visit(account, targets), new, turn.start)
        return new.id, account, True

    async def _announce(self, visit: Visit, new: Request, start: timedelta) -> None:
        """Write the request into the record and enqueue a visit; the timer needs neither."""
        message = messages.dump(visit)
        steps: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: self.journal.amend(visit.account, lambda r: inbox.added(r, new)),
            lambda: self.queue.put(message, start),
        )
        for step in steps:
            try:
                await step()
            except RotationError as exc:
                reason = exc.advice
                log.warning("emergency without record", id=new.id, code=exc.code, reason=reason)

    async def is_waiting(self, found: Emergency) -> bool:
        """Return whether an emergency is open, and no operation that can be read acts on it."""
        with suppress(Unreadable):
            record = await self.journal.find(found.account.slug)
            running = record.find(found.id) if record else None
            begun = isinstance(running, Operation) and running.ended_at is None
            return found.is_open and not begun
        return found.is_open

    async def answer(
        self, found: Emergency, kind: RequestKind, caller: Caller, reason: str
    ) -> None:
        """Abandon an emergency that waits, or look at it now and accept that it is old."""
        if kind is RequestKind.ABANDON:
            await self.close(found, Verdict.ABANDONED, caller, reason)
            return
        await self.resume(found, caller, reason)
        await self.queue.put(messages.dump(Visit(found.account)), timedelta())

    async def resume(self, found: Emergency, caller: Caller, reason: str) -> None:
        """Note that a person wants it to go on, and alert."""
        note = AuditEntry(self.clock.now(), f"resumed by {caller.name}: {reason}")
        await self.emergencies.amend(found.id, lambda e: _resumed(e, note))
        account = str(found.account)
        log.error("emergency", id=found.id, account=account, state="resumed", reason=note.what)

    async def close(
        self, found: Emergency, verdict: Verdict, caller: Caller, reason: str
    ) -> RotationReply:
        """End an emergency that waits, as a person wants, and alert. Its document stays.

        Raises Permanent if it is to be cancelled, and a regenerate was decided already.
        """
        now, note = self.clock.now(), f"{verdict} by {caller.name}: {reason}"

        def close(current: Emergency) -> Emergency:
            if not current.is_open:
                return current
            if current.intent and verdict is Verdict.CANCELLED:
                raise too_late()
            return emergency.ended(current, verdict, now, note)

        closed = await self.emergencies.amend(found.id, close)
        answer = inbox.from_answer(found.account, RequestKind.ABANDON, caller, reason, now)
        may_begin = closed is not None and closed.intent is not None
        with suppress(RotationError):  # the document decides
            await self.journal.amend(
                found.account, lambda r: _without(r, found.id, answer if may_begin else None)
            )
        log.error(
            "emergency", id=found.id, account=str(found.account), state=verdict.value, reason=note
        )
        shown = closed or found
        return view.judged(view.build(shown), [shown])

    async def _earlier(self, new: Request) -> str | None:
        """Return the id of the same caller's earlier emergency with the same idempotency key.

        The id is made from the key. Only what an earlier version stored needs the record, in which
        it may be that of a rotation that the emergency took over.
        """
        with suppress(RotationError):  # an unreadable document must not refuse an emergency
            if await self.emergencies.find(new.id):
                return new.id
            record = await self.journal.find(new.id.partition("-")[0])
            found = idempotency.find(record, new) if record else None
            if found and await self.emergencies.find(new.id):  # stored since the first look
                return new.id
            return found
        return None

    async def _store(
        self,
        account: AccountId,
        new: Request,
        request: RotationRequest,
        *,
        ask_arm: bool,
        turn: Turn,
    ) -> None:
        now = self.clock.now()
        found = replace(
            emergency.from_request(account, new, new_salt()),
            impatient=request.now,
            forced=request.force,
            bulk=not ask_arm,
            blind=request.blind,
            look_at=_after(now, turn.start),
            proof_at=_after(now, turn.proof),
            why=_TURN if turn.start else "",
        )
        keys = await self._keys(account) if ask_arm else None
        if keys is not None:
            self.emergencies.handover.give(account, Listed(keys, now))
            found = emergency.pinned(found, keys, self.clock.now())
        else:
            found = await self._remembered(found)
        await self.emergencies.create(found)

    async def _keys(self, account: AccountId) -> Keys | None:
        try:
            async with asyncio.timeout(ARM_PATIENCE.total_seconds()):
                return await self.accounts.keys(account)
        except Permanent as exc:
            if exc.code in NO_SUCH_ACCOUNT and not await self.scope.knows(account):
                raise unknown_account(account) from None
            return None
        except (RotationError, TimeoutError):
            return None

    async def _remembered(self, found: Emergency) -> Emergency:
        with suppress(RotationError):
            record = await self.journal.find(found.account.slug)
            return provisional(found, record) if record else found
        return found


def _after(now: datetime, pause: timedelta) -> datetime | None:
    return now + pause if pause else None


def _without(record: Record, request_id: str, answer: Request | None) -> Record | None:
    """Return the record without a request. An answer also ends an operation that is beginning."""
    rest = inbox.removed(record, request_id)
    return inbox.added(rest, answer) if answer else rest


def _resumed(found: Emergency, note: AuditEntry) -> Emergency:
    if not found.is_open:
        return found
    begun = found.begun_at or note.at
    return replace(found, begun_at=begun, look_at=None, audit=(*found.audit, note))


def provisional(found: Emergency, record: Record) -> Emergency:
    """Pin what the record remembers of the keys, with a copy of its salt."""
    wanted = {found.leaked.slot} if found.leaked.slot else {*Slot}
    pins = tuple(Pin(s, record.known_keys[s]) for s in Slot if s in wanted & {*record.known_keys})
    return replace(found, salt=record.salt, pins=pins, provisional=bool(pins))
