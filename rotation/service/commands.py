"""What a person may ask of the service: request, cancel, answer, pause; and all of the foresight.

The HTTP API and the command line both stand on it. It changes nothing itself but a secret's tag
``RotationPaused``; everything else is a wish in the journal, which the rotator alone acts upon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..decisions.lifecycle import cancellable
from ..domain import tags
from ..domain.access import Caller
from ..domain.errors import Permanent, RotationError, unenrolled
from ..domain.model import AccountId, TargetId
from ..domain.record import Ending, Operation, Record, Wish, WishKind
from ..ops.doctor.doctor import Doctor
from ..runtime.concurrency import together
from . import inbox as wishes
from .preview import Foresight
from .requests import RotationRequest
from .views import effects as outlook
from .views import operation as report

AT_ONCE = 32


class UnderWay(Permanent):
    """A request that would add nothing to what waits or runs already."""

    def __init__(self, operation_id: str) -> None:
        super().__init__(
            "a rotation of this account is under way already",
            code="UnderWay",
            remedy=f"follow it: GET /api/rotations/{operation_id}",
        )
        self.operation_id = operation_id


@dataclass
class Console(Foresight):
    """``caller`` and ``reason`` go into the audit trail of whatever they ask for."""

    doctor: Doctor

    # Ask.

    async def request(self, request: RotationRequest) -> dict[str, Any]:
        """One account: the wish in the journal, and a visit on its way.

        Raises UnderWay, or as ``Triggers.request`` does.
        """
        account, _ = await self.triggers.resolve(request)
        record, _ = await self.journal.load(account)
        if not wishes.earlier(record, request.idempotency_key):
            running = wishes.covering(record, request)
            if running:
                raise UnderWay(running)
        accepted = await self.triggers.request(request)
        return _accepted(accepted.id, accepted.account)

    async def request_all(self, request: RotationRequest) -> dict[str, Any]:
        """A whole vault or everything, account by account; one that fails stops no other.

        Raises Permanent where ``confirm`` is not the number of accounts.
        """
        accounts = await self._meant(request)
        if request.everything and request.confirm != len(accounts):
            raise Permanent(
                f"confirm says {request.confirm}, but there are {len(accounts)} accounts now",
                code="Unconfirmed",
                remedy="ask again with dry_run and confirm the number that it reports",
            )
        batch = request.idempotency_key or wishes.new_batch()
        one = replace(request, vault=None, everything=False, idempotency_key=batch)
        results = await together((self._try(one, account) for account in accounts), AT_ONCE)
        return {
            "batch": batch,
            "accounts": len(accounts),
            "rotations": [result for result in results if "error" not in result],
            "failed": [result for result in results if "error" in result],
            "status": f"/api/rotations?batch={batch}",
        }

    async def _try(self, request: RotationRequest, account: AccountId) -> dict[str, Any]:
        try:
            return await self.request(replace(request, account=account))
        except UnderWay as exc:
            return _accepted(exc.operation_id, account)
        except RotationError as exc:
            return {"account": str(account), "error": str(exc)}

    # Answer.

    async def cancel(self, operation_id: str, caller: Caller, reason: str) -> Any:
        """End what has changed nothing yet; None where there is no such operation.

        Raises Permanent where it is too late.
        """
        record = await self._record(operation_id)
        found = record.find(operation_id) if record else None
        if record is None or found is None:
            return None
        if isinstance(found, Wish):
            await self.journal.amend(record.account, lambda r: wishes.without(r, operation_id))
            return report.of_operation(record, found) | {"state": Ending.CANCELLED.value}
        if found.ended_at or not cancellable(record):
            raise Permanent(
                "it is too late to cancel: a key or a secret was changed",
                code="TooLate",
                remedy="let it end; pause the secret to hold back the next rotation",
            )
        await self._say(record, WishKind.CANCEL, caller, reason)
        return await self.status(operation_id)

    async def answer(
        self, operation_id: str, kind: WishKind, caller: Caller, reason: str, *, dry_run: bool
    ) -> str | None:
        """Resume or abandon: what that does, in words; None where there is no such operation."""
        record = await self._record(operation_id)
        if record is None or not isinstance(record.find(operation_id), Operation):
            return None
        will = outlook.answer(record, kind)
        if not dry_run:
            await self._say(record, kind, caller, reason)
        return will

    async def _say(self, record: Record, kind: WishKind, caller: Caller, reason: str) -> None:
        name, now = wishes.new_id(record.account), self.inventory.clock.now()
        said = Wish(name, kind, reason, caller.name, now, role=caller.role, request_id=caller.call)
        await self.triggers.answer(record, said)

    async def pause(self, target: TargetId, *, paused: bool) -> dict[str, Any]:
        """Set or remove the tag that holds scheduled rotations back; emergencies go on."""
        found = await self.triggers.vaults.read(target)
        if found is None:
            raise unenrolled(str(target))
        wanted = tags.paused(found.tags, paused)
        if wanted != found.tags:
            await self.triggers.vaults.retag(target, found.version, wanted)
            await self.inventory.listings(refresh=True)
        return {"vault": target.vault, "secret": target.name, "paused": paused}

    async def _record(self, operation_id: str) -> Record | None:
        return await self.triggers.record(operation_id)


def _accepted(operation_id: str, account: AccountId) -> dict[str, Any]:
    url = f"/api/rotations/{operation_id}"
    return {"id": operation_id, "account": str(account), "status": url}
