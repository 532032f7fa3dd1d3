"""Decides how a secret leaves the rotation at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from ...decisions.announcements import notice
from ...domain import tags
from ...domain.errors import Permanent
from ...domain.ids import AccountId, TargetId
from ...domain.operation import Phase
from ...domain.record import LEFT, OUTBOX, Record
from ...domain.targets import SecretSnapshot


@dataclass(frozen=True)
class LeavingPlan:
    """The effect of removing one secret from the rotation of its account.

    ``tags`` are what is left of the tags of ``version``, None if they do not enrol it. ``others``
    are the account's other secrets. ``at_once``: the service's journal is at hand.
    """

    target: TargetId
    account: AccountId
    version: str
    tags: Mapping[str, str] | None
    others: tuple[TargetId, ...]
    at_once: bool

    @property
    def effects(self) -> list[str]:
        """The steps and their consequence, in order."""
        name, account = self.target.name, self.account.name
        when = "at once" if self.at_once else "one overlap later, as no journal is configured here"
        untag = f"Remove the tag {tags.PROVIDER_ADDRESS} from {name}; its value stays"
        leave = f"{name} leaves the rotation of {account} {when}; both keys stay as they are"
        return [*([] if self.tags is None else [untag]), leave, self._consequence]

    @property
    def _consequence(self) -> str:
        if not self.others:
            return f"Nothing rotates the keys of {self.account.name} any more"
        rest = ", ".join(other.name for other in self.others)
        return (
            f"{self.account.name} is still rotated for {rest}: that ends the key in "
            f"{self.target.name}, which gets no new one"
        )


def decide(
    target: TargetId,
    account: AccountId,
    secret: SecretSnapshot | None,
    others: tuple[TargetId, ...],
    *,
    at_once: bool,
) -> LeavingPlan:
    """Plan how a secret leaves; ``secret`` is None if it was deleted."""
    if secret is None or tags.account_of(secret.tags) is None:
        return LeavingPlan(target, account, "", None, others, at_once)
    kept = tags.without(secret.tags, tags.PROVIDER_ADDRESS)
    return LeavingPlan(target, account, secret.version, kept, others, at_once)


def check_idle(record: Record) -> None:
    """Raise Permanent while something is under way: the secret must get its key."""
    running = record.operation
    if running is None and record.phase is Phase.IDLE and not record.requests:
        return
    name = running.id if running else record.requests[0].id if record.requests else ""
    raise under_way(record.account, name)


def under_way(account: AccountId, operation_id: str) -> Permanent:
    """Return the error for an account whose rotation or emergency has not ended."""
    return Permanent(
        f"a rotation of {account.name} is under way",
        code="UnderWay",
        remedy=f"let it end: keyrotation watch {operation_id}",
    )


def left(record: Record, target: TargetId, now: datetime) -> Record | None:
    """Return the record without the secret; None if it is not a member.

    Raises Permanent while something is under way.
    """
    name = str(target)
    if name not in record.members and name not in record.seen:
        return None
    check_idle(record)
    told = notice(record.account, "left", target, "a person removed it with unenrol", now)
    return replace(
        record,
        members={k: v for k, v in record.members.items() if k != name},
        seen={k: v for k, v in record.seen.items() if k != name},
        notes={k: v for k, v in record.notes.items() if k != name},
        held={k: v for k, v in record.held.items() if k != name},
        left=tuple(dict.fromkeys((*record.left, name)))[-LEFT:],
        outbox=(*record.outbox, told)[-OUTBOX:],
    )
