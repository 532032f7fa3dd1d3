"""Accepts an emergency: its document, with the leaked values pinned, before anything else.

The document is what is never forgotten. The request in the account's record lets an earlier
version act on it too.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from ..domain import emergency
from ..domain.emergency import Emergency, Pin
from ..domain.errors import RotationError
from ..domain.ids import AccountId
from ..domain.keys import Keys, Slot
from ..domain.record import Record
from ..domain.request import Request
from ..engine.emergencies import Emergencies
from ..engine.journal import Journal
from ..engine.responder import new_salt
from ..ports import Accounts, Queue
from ..runtime import log
from ..runtime.clock import Clock
from . import inbox, messages
from .messages import Visit
from .requests import RotationRequest, log_request
from .scope import Scope

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

    async def request(self, request: RotationRequest, *, ask_arm: bool) -> tuple[str, AccountId]:
        """Accept an emergency of one account. Return its id, or that of a repeated request.

        With ``ask_arm`` the leaked values are pinned as ARM lists them now. Otherwise, or if ARM
        fails, they are pinned as the record remembers them, until the first listing.
        """
        account, targets = await self.scope.emergency(request)
        new = inbox.from_operator(account, request, self.clock.now())
        earlier = await self._earlier(account, request)
        if earlier:
            return earlier, account
        await self._store(account, new, request, ask_arm=ask_arm)
        log_request(account, new)
        try:
            await self.journal.amend(account, lambda r: inbox.added(r, new))
            await self.queue.put(messages.dump(Visit(account, targets)), timedelta())
        except RotationError as exc:  # the timer acts on the document
            log.warning("emergency without record", id=new.id, code=exc.code, reason=exc.advice)
        return new.id, account

    async def _earlier(self, account: AccountId, request: RotationRequest) -> str | None:
        """Return the id of an earlier request with the same idempotency key."""
        if request.idempotency_key is None:
            return None
        with suppress(RotationError):  # an unreadable record must not refuse an emergency
            record = await self.journal.find(account.slug)
            return inbox.find_by_key(record, request.idempotency_key) if record else None
        return None

    async def _store(
        self, account: AccountId, new: Request, request: RotationRequest, *, ask_arm: bool
    ) -> None:
        found = replace(
            emergency.from_request(account, new, new_salt()),
            impatient=request.now,
            forced=request.force,
            blind=request.blind,
        )
        keys = await self._keys(account) if ask_arm else None
        if keys is not None:
            found = emergency.pinned(found, keys, self.clock.now())
        else:
            found = await self._remembered(found)
        await self.emergencies.create(found)

    async def _keys(self, account: AccountId) -> Keys | None:
        try:
            async with asyncio.timeout(ARM_PATIENCE.total_seconds()):
                return await self.accounts.keys(account)
        except (RotationError, TimeoutError):
            return None

    async def _remembered(self, found: Emergency) -> Emergency:
        with suppress(RotationError):
            record = await self.journal.find(found.account.slug)
            return provisional(found, record) if record else found
        return found


def provisional(found: Emergency, record: Record) -> Emergency:
    """Pin what the record remembers of the keys, with a copy of its salt."""
    wanted = {found.leaked.slot} if found.leaked.slot else {*Slot}
    pins = tuple(Pin(s, record.known_keys[s]) for s in Slot if s in wanted & {*record.known_keys})
    return replace(found, salt=record.salt, pins=pins, provisional=bool(pins))
