"""Releases a secret without a binding: a person confirms that nobody needs the key it shows."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from ..domain.access import Caller
from ..domain.errors import Permanent
from ..domain.ids import AccountId, TargetId
from ..domain.record import Record
from ..engine.journal import Journal
from ..ports import Queue
from ..runtime import log
from . import messages
from .messages import Visit
from .replies.secret import ReleasedReply
from .scope import Scope

_WILL = (
    "the next scheduled step may regenerate the key that it shows; nothing is written to it, so "
    "its consumers lose that key"
)


@dataclass
class Releases:
    """Notes releases in the accounts' records, and enqueues a visit."""

    scope: Scope
    journal: Journal
    queue: Queue

    async def release(
        self, target: TargetId, caller: Caller, reason: str, *, dry_run: bool
    ) -> ReleasedReply:
        """Let scheduled work regenerate the key that a withdrawn secret still shows.

        Raises Permanent if no account has the secret as a withdrawn member.
        """
        account = await self._account(target)
        if not dry_run:
            await self.journal.amend(account, lambda record: _released(record, target))
            log.info(
                "released",
                secret=str(target),
                account=str(account),
                caller=caller.name,
                request=caller.call,
                reason=reason,
            )
            await self.queue.put(messages.dump(Visit(account)))
        return ReleasedReply(
            vault=target.vault,
            secret=target.name,
            account=str(account),
            will=_WILL,
            dry_run=dry_run,
        )

    async def _account(self, target: TargetId) -> AccountId:
        for account in await self.scope.owners(target):
            record, _ = await self.journal.load(account)
            if _released(record, target):
                return account
        raise Permanent(
            f"{target} has a binding, or is not managed",
            code="NotWithdrawn",
            remedy="remove its entry from ROTATION_BINDINGS, and wait for the next sweep",
        )


def _released(record: Record, target: TargetId) -> Record | None:
    """Return the record with a withdrawn member released; None if it is not withdrawn."""
    member = record.members.get(str(target))
    if member is None or not member.withdrawn:
        return None
    members = {**record.members, str(target): replace(member, released=True)}
    return replace(record, members=members)
