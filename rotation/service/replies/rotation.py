"""Replies about operations and the requests that start them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from ...domain.operation import Purpose
from ...domain.request import Leaked
from .reply import Reply, Time


class RotationState(StrEnum):
    """The state of an operation or of a request that waits to become one."""

    WAITING = "waiting"
    RUNNING = "running"
    BLOCKED = "blocked"
    ENDED = "ended"
    CANCELLED = "cancelled"


class TroubleReply(Reply, frozen=True, kw_only=True):
    """An error or a block: a searchable code, what happened, and the remedy."""

    code: str
    message: str
    remedy: str
    since: Time


class NotRevokedReply(Reply, frozen=True, kw_only=True):
    """The reason that a leaked key is not revoked yet, and what to do."""

    reason: str
    remedy: str


class AuditEntryReply(Reply, frozen=True, kw_only=True):
    """One line of the audit trail."""

    at: Time
    what: str


class RotationReply(Reply, frozen=True, kw_only=True):
    """An operation, or a request that waits to become one.

    ``beganIn`` is its first phase. ``proven`` is true once the old key was refused. ``revoked`` is
    of emergencies: true once every leaked key was refused, false while ``notRevoked`` says why one
    is not, and null while it is under way or cannot be proven. ``refusedAt`` is when
    the last of them was refused, once all are.
    """

    id: str
    account: str
    state: RotationState
    purpose: Purpose | UnsetType = UNSET
    phase: str
    reason: str
    requester: str
    role: str | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    leaked: Leaked | UnsetType = UNSET
    began_in: str | UnsetType = UNSET
    started_at: Time | UnsetType = UNSET
    requested_at: Time | UnsetType = UNSET
    overlap_until: Time | UnsetType = UNSET
    ended_at: Time | UnsetType = UNSET
    outcome: str | UnsetType = UNSET
    proof: str | UnsetType = UNSET
    proven: bool | UnsetType = UNSET
    audit: tuple[AuditEntryReply, ...] | UnsetType = UNSET
    waiting_for: str | UnsetType = UNSET
    waiting_until: Time | UnsetType = UNSET
    trouble: TroubleReply | UnsetType = UNSET
    revoked: bool | UnsetType | None = UNSET
    not_revoked: NotRevokedReply | UnsetType = UNSET
    refused_at: Time | UnsetType = UNSET


StateCounts = Annotated[dict[str, int], Meta(description="The total number in each state.")]


class RotationsReply(Reply, frozen=True, kw_only=True):
    """Operations and waiting requests, the newest first."""

    rotations: list[RotationReply]
    states: StateCounts


class AcceptedReply(Reply, frozen=True, kw_only=True):
    """An accepted request; ``status`` is the URL that reports its progress.

    ``repeated``: the request was not new, and these are the id and the URL of the earlier one.
    """

    id: str
    account: str
    status: str
    repeated: bool | UnsetType = UNSET


class FailedReply(Reply, frozen=True, kw_only=True):
    """An account of a batch whose rotation could not be requested."""

    account: str
    error: str


class BatchReply(Reply, frozen=True, kw_only=True):
    """A request for several accounts; ``status`` is the URL that lists its rotations.

    ``notSeen`` are the vaults of an emergency that could not be listed, and why.
    """

    batch: str
    accounts: int
    rotations: list[AcceptedReply]
    failed: list[FailedReply]
    status: str
    not_seen: list[str]


class AnsweredReply(Reply, frozen=True, kw_only=True):
    """The effect of resuming or abandoning an operation."""

    id: str
    will: str
    status: str
