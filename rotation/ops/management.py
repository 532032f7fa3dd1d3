"""Classifies an account as managed, sample, unmanaged, key-less or not visible. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..domain.account import Account
from ..domain.ids import AccountId, TargetId
from ..domain.keys import Slot


class ManagementState(StrEnum):
    """The management state of an account: managed, or why it is not."""

    MANAGED = "managed"
    SAMPLE = "sample"
    UNMANAGED = "unmanaged"
    KEYLESS = "key-less"
    UNSEEN = "unseen"


MEANING = {
    ManagementState.MANAGED: "this service rotates its keys",
    ManagementState.SAMPLE: "has the tags of Microsoft's rotation sample but has not been rotated "
    "here yet; it will be adopted as it is. Remove the sample's function first, or both rotate it",
    ManagementState.UNMANAGED: "no secret is enrolled for it: "
    "keyrotation enrol ACCOUNT --in-use key1|key2",
    ManagementState.KEYLESS: "key authentication is disabled (Entra ID only), so there is nothing "
    "to rotate",
    ManagementState.UNSEEN: "secrets are enrolled for it, but it is not visible: it was deleted, "
    "or you have no permission to read it",
}


@dataclass(frozen=True)
class EnrolledSecret:
    """A secret enrolled for an account. ``slot`` is the key that it holds, None for neither.

    ``published``: this service has written tags on it. ``unreadable``: why its key is not known.
    """

    target: TargetId
    slot: Slot | None = None
    published: bool = False
    unreadable: str = ""

    @property
    def broken(self) -> bool:
        """Return whether the secret holds neither of the account's keys."""
        return self.slot is None and not self.unreadable


@dataclass(frozen=True)
class DiscoveredAccount:
    """An account, its secrets, and remarks for the operator."""

    account: AccountId
    kind: str
    state: ManagementState
    secrets: tuple[EnrolledSecret, ...]
    remarks: tuple[str, ...]

    @property
    def needs_attention(self) -> bool:
        unseen = self.state is ManagementState.UNSEEN
        return unseen or any(secret.broken for secret in self.secrets)


def classify(
    id: AccountId, account: Account | None, secrets: Sequence[EnrolledSecret]
) -> DiscoveredAccount:
    """Classify an account; ``account`` is None if it is not visible."""
    kind = account.kind if account else ""
    state, remarks = _state(account, secrets), tuple(_remarks(secrets))
    return DiscoveredAccount(id, kind, state, tuple(secrets), remarks)


def _state(account: Account | None, secrets: Sequence[EnrolledSecret]) -> ManagementState:
    if account is None:
        return ManagementState.UNSEEN
    if account.local_auth_disabled:
        return ManagementState.KEYLESS
    if not secrets:
        return ManagementState.UNMANAGED
    rotated_here = any(secret.published for secret in secrets)
    return ManagementState.MANAGED if rotated_here else ManagementState.SAMPLE


def _remarks(secrets: Sequence[EnrolledSecret]) -> Iterable[str]:
    if len(secrets) > 1:
        yield f"{len(secrets)} secrets share it: each new key is published to all of them"
    if len({secret.slot for secret in secrets if secret.slot}) > 1:
        yield "they hold different keys: one key is published to all before the other is revoked"
    for secret in secrets:
        if secret.unreadable:
            yield f"{secret.target.name}: could not check which key it holds: {secret.unreadable}"
        elif secret.broken:
            yield f"{secret.target.name} holds neither key: the next sweep publishes a valid one"
