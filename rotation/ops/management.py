"""How an account stands to the rotation, from what was read of it and of its secrets. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..domain.model import Account, AccountId, Slot, TargetId


class Standing(StrEnum):
    """How an account stands to the rotation."""

    MANAGED = "managed"
    SAMPLE = "sample"
    UNMANAGED = "unmanaged"
    KEYLESS = "key-less"
    UNSEEN = "unseen"


MEANING = {
    Standing.MANAGED: "its keys are rotated here",
    Standing.SAMPLE: "has the tags of Microsoft's rotation sample and was not rotated here yet: it "
    "is taken over as it is. Remove the sample's function first, else both rotate it",
    Standing.UNMANAGED: "no secret is enrolled for it: "
    "python -m rotation enrol ACCOUNT --in-use key1|key2",
    Standing.KEYLESS: "its keys are switched off (Entra ID only): nothing to rotate",
    Standing.UNSEEN: "secrets are enrolled for it, but it cannot be seen: deleted, or no right "
    "to read it",
}


@dataclass(frozen=True)
class Holding:
    """A secret enrolled for an account. ``slot`` is the key that it holds, None for neither.

    ``ours``: it has tags that only this service knows. ``unread``: why the key is not known.
    """

    target: TargetId
    slot: Slot | None = None
    ours: bool = False
    unread: str = ""

    @property
    def dead(self) -> bool:
        return self.slot is None and not self.unread


@dataclass(frozen=True)
class Found:
    """An account, its secrets, and in words what is remarkable and what would be done."""

    account: AccountId
    kind: str
    standing: Standing
    secrets: tuple[Holding, ...]
    remarks: tuple[str, ...]

    @property
    def wrong(self) -> bool:
        """Whether a person should look."""
        return self.standing is Standing.UNSEEN or any(one.dead for one in self.secrets)


def judged(id: AccountId, account: Account | None, held: Sequence[Holding]) -> Found:
    """How an account stands, from what was read of it and of its secrets."""
    kind = account.kind if account else ""
    return Found(id, kind, _standing(account, held), tuple(held), tuple(_remarks(held)))


def _standing(account: Account | None, held: Sequence[Holding]) -> Standing:
    if account is None:
        return Standing.UNSEEN
    if account.local_auth_disabled:
        return Standing.KEYLESS
    if not held:
        return Standing.UNMANAGED
    return Standing.MANAGED if any(one.ours for one in held) else Standing.SAMPLE


def _remarks(held: Sequence[Holding]) -> Iterable[str]:
    if len(held) > 1:
        yield f"{len(held)} secrets share it: each new key is published to all of them"
    if len({one.slot for one in held if one.slot}) > 1:
        yield "they hold different keys: one key is published to all before any is revoked"
    for one in held:
        if one.unread:
            yield f"{one.target.name}: it is not known which key it holds: {one.unread}"
        elif one.dead:
            yield f"{one.target.name} holds neither key: the next sweep publishes a valid one"
