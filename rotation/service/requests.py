"""A person's request over HTTP: parsed once, every bad field named at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..domain.model import AccountId, TargetId
from ..domain.record import Leaked


@dataclass(frozen=True)
class RotationRequest:
    """One secret, one account, a whole vault or everything; why, and what has leaked.

    ``confirm`` is the number of accounts that a dry run for everything reported.
    """

    reason: str
    requester: str
    secret: TargetId | None = None
    account: AccountId | None = None
    vault: str | None = None
    everything: bool = False
    confirm: int | None = None
    dry_run: bool = False
    role: str | None = None
    request_id: str | None = None
    leaked: Leaked = Leaked.NONE
    overlap: timedelta | None = None
    idempotency_key: str | None = None

    @property
    def is_emergency(self) -> bool:
        return self.leaked is not Leaked.NONE

    @property
    def is_bulk(self) -> bool:
        return self.everything or self.vault is not None


@dataclass(frozen=True)
class Answer:
    """The operation's id; it may be an earlier one."""

    id: str
    account: AccountId
