"""Operator commands: request, cancel, resume, abandon and pause.

They only write requests into the journal, which the reconciler acts on, and the tag
``RotationPaused``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from msgspec import UNSET
from msgspec.structs import replace

from ..decisions import pacing
from ..decisions.pacing import Turn
from ..domain import tags
from ..domain.access import Caller
from ..domain.emergency import Verdict
from ..domain.errors import Permanent, RotationError, unenrolled
from ..domain.ids import AccountId, TargetId
from ..domain.operation import Operation
from ..domain.record import Record
from ..domain.request import Request, RequestKind
from ..engine.inventory import Inventory
from ..engine.journal import Journal
from ..engine.listing_marks import ListingMarks
from ..ports import Queue, Vaults
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from . import idempotency, inbox, messages
from .acceptance import ANSWERS, NOW, Acceptance
from .cancelling import cancelled
from .messages import Visit
from .queries import Queries
from .replies.rotation import (
    AcceptedReply,
    BatchReply,
    FailedReply,
    RotationReply,
    RotationsReply,
)
from .replies.secret import HeldReply
from .requests import AlreadyRunning, RotationRequest, log_request, too_late
from .scope import Scope
from .views import effects

AT_ONCE = 96  # fewer than the connections of a storage client

Enter = Callable[[Record, Request], Record | None]


@dataclass
class Commands:
    """Records what an operator asks for, and enqueues a visit that acts on it."""

    queries: Queries
    scope: Scope
    journal: Journal
    inventory: Inventory
    vaults: Vaults
    queue: Queue
    clock: Clock
    acceptance: Acceptance
    marks: ListingMarks

    # Request.

    async def request(self, request: RotationRequest) -> AcceptedReply:
        """Request a rotation of one account.

        Raises AlreadyRunning if a pending or running operation covers the request, Permanent if
        the secret or account is not enrolled or the idempotency key was used for another request,
        and RotationError if Azure cannot be read.
        """
        if request.is_emergency:
            return await self._emergency(request, ask_arm=True)
        account, targets = await self.scope.account(request)
        if request.batch is None:
            await self._claim(request)
        new = inbox.from_operator(account, request, self.clock.now())
        found = await self.submit(Visit(account, targets), new, inbox.admitted)
        return _accepted(found, account, repeated=found != new.id)

    async def _emergency(
        self, request: RotationRequest, *, ask_arm: bool, turn: Turn = NOW
    ) -> AcceptedReply:
        operation_id, account, is_new = await self.acceptance.request(
            request, ask_arm=ask_arm, turn=turn
        )
        return _accepted(operation_id, account, repeated=not is_new)

    async def request_all(self, request: RotationRequest) -> BatchReply:
        """Rotate a vault or everything, account by account; failures do not affect other accounts.

        Unless it is an emergency, raises Permanent if ``confirm`` is not the number of accounts, or
        if the idempotency key was used for another request.
        """
        accounts = await self.scope.accounts(request)
        moved = request.confirm != len(accounts)
        if request.everything and moved and not request.is_emergency:
            raise Permanent(
                f"confirm is {request.confirm}, but there are now {len(accounts)} accounts",
                code="Unconfirmed",
                remedy="repeat the dry run and confirm the number that it reports",
            )
        if not request.is_emergency:
            await self._claim(request)
        batch = idempotency.batch_of(request) or inbox.new_batch()
        one = replace(request, vault=None, everything=False, batch=batch)
        turns = pacing.emergencies(account.subscription for account in accounts)
        each = (self._request_one(one, a, t) for a, t in zip(accounts, turns, strict=True))
        results = await gather_limited(each, AT_ONCE)
        return BatchReply(
            batch=batch,
            accounts=len(accounts),
            rotations=[result for result in results if isinstance(result, AcceptedReply)],
            failed=[result for result in results if isinstance(result, FailedReply)],
            status=f"/api/rotations?batch={batch}",
            not_seen=await self.scope.unseen(request),
        )

    async def _claim(self, request: RotationRequest) -> None:
        """Raise Permanent if the caller used the idempotency key for another request."""
        parts = idempotency.parts(request)
        if parts and not await self.journal.claims.take(*parts, self.clock.now()):
            raise idempotency.reused()

    async def _request_one(
        self, request: RotationRequest, account: AccountId, turn: Turn
    ) -> AcceptedReply | FailedReply:
        try:
            one = replace(request, account=account)
            if request.is_emergency:
                return await self._emergency(one, ask_arm=False, turn=turn)
            return await self.request(one)
        except AlreadyRunning as exc:
            return _accepted(exc.operation_id, account, repeated=True)
        except RotationError as exc:
            return FailedReply(account=str(account), error=str(exc))

    # Answer.

    async def cancel(self, operation_id: str, caller: Caller, reason: str) -> RotationReply | None:
        """Cancel an operation that has not changed anything; return None if it does not exist.

        Raises Permanent if it is too late.
        """
        emergency = await self.queries.emergency(operation_id)
        if emergency and await self.acceptance.is_waiting(emergency):
            return await self.acceptance.close(emergency, Verdict.CANCELLED, caller, reason)
        if emergency and emergency.is_open and emergency.intent:
            raise too_late()
        record = await self.queries.record(operation_id)
        if record is None or record.find(operation_id) is None:
            return await self.queries.status(operation_id)
        kind, account = RequestKind.CANCEL, record.account
        answer = inbox.from_answer(account, kind, caller, reason, self.clock.now())
        await self.submit(Visit(account), answer, lambda r, a: cancelled(r, operation_id, a))
        return await self.queries.status(operation_id)

    async def cancel_batch(self, batch: str, caller: Caller, reason: str) -> RotationsReply | None:
        """Cancel what has not changed anything yet of a batch; None if there is no such batch."""
        found = await self.queries.all_rotations(batch=batch)
        if not found:
            return None
        waiting = [one.id for one in found if one.ended_at is UNSET]
        await gather_limited((self._cancel_one(id_, caller, reason) for id_ in waiting), AT_ONCE)
        return await self.queries.rotations(batch=batch)

    async def _cancel_one(self, operation_id: str, caller: Caller, reason: str) -> None:
        with suppress(Permanent):  # it is too late: the reply shows its state
            await self.cancel(operation_id, caller, reason)

    async def answer(
        self, operation_id: str, kind: RequestKind, caller: Caller, reason: str, *, dry_run: bool
    ) -> str | None:
        """Resume or abandon an operation, unless ``dry_run``.

        Return a sentence that says what this does, or None if the operation does not exist.
        """
        emergency = await self.queries.emergency(operation_id)
        if emergency and await self.acceptance.is_waiting(emergency):
            if not dry_run:
                await self.acceptance.answer(emergency, kind, caller, reason)
            return ANSWERS[kind]
        record = await self.queries.record(operation_id)
        if record is None or not isinstance(record.find(operation_id), Operation):
            await self.queries.check_readable(operation_id, emergency)
            return None
        will = effects.describe_answer(record, kind)
        if not dry_run:
            await self._record_answer(record, kind, caller, reason)
            if emergency and kind is RequestKind.RESUME:
                await self.acceptance.resume(emergency, caller, reason)
        return will

    async def _record_answer(
        self, record: Record, kind: RequestKind, caller: Caller, reason: str
    ) -> None:
        account = record.account
        answer = inbox.from_answer(account, kind, caller, reason, self.clock.now())
        await self.submit(Visit(account), answer, inbox.added)

    async def submit(self, visit: Visit, new: Request, enter: Enter) -> str:
        """Record a request and enqueue its visit.

        Return its id, or that of an earlier one with the same idempotency key. ``enter`` adds the
        request to the record, returns None if there is nothing to add, or raises.
        """
        record = await self.journal.amend(visit.account, lambda r: enter(r, new))
        accepted = idempotency.find(record, new) or new.id
        if accepted == new.id:
            log_request(visit.account, new)
            await self.queue.put(messages.dump(visit), timedelta())
        return accepted

    # Pause.

    async def pause(self, target: TargetId, *, paused: bool) -> HeldReply:
        """Set or remove the tag that pauses scheduled rotations; emergencies still run.

        A member whose latest version has no tags is paused like any other. Raises Permanent if the
        secret is not enrolled.
        """
        found = await self.vaults.get_secret(target)
        if found is None:
            raise unenrolled(str(target))
        tagged = tags.account_of(found.tags) is not None
        if not tagged and not await self.scope.owners(target):
            raise unenrolled(str(target))
        wanted = tags.paused(found.tags, paused, explicit=not tagged)
        if wanted != found.tags:
            await self.vaults.set_tags(target, found.version, wanted)
            await self.marks.renew(target.vault)
        return HeldReply(vault=target.vault, secret=target.name, paused=paused)


def _accepted(operation_id: str, account: AccountId, *, repeated: bool) -> AcceptedReply:
    url, flag = f"/api/rotations/{operation_id}", True if repeated else UNSET
    return AcceptedReply(id=operation_id, account=str(account), status=url, repeated=flag)
