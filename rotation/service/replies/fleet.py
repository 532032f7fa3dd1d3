"""Replies about all secrets together, and about the health of the service."""

from __future__ import annotations

from enum import StrEnum

from msgspec import UNSET, UnsetType

from ...domain.keys import Slot
from .reply import Reply, Time
from .rotation import TroubleReply


class SecretState(StrEnum):
    """The state of a secret, the worst first."""

    FAILING = "failing"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    DRIFTED = "drifted"
    DUE = "due"
    ROTATING = "rotating"
    REVOKING = "revoking"
    OVERLAP = "overlap"
    PAUSED = "paused"
    HEALTHY = "healthy"
    UNMANAGED = "unmanaged"


class LastOperationReply(Reply, frozen=True, kw_only=True):
    """The latest operation that has ended."""

    id: str
    purpose: str
    outcome: str | UnsetType = UNSET
    ended_at: Time | UnsetType = UNSET


class RowReply(Reply, frozen=True, kw_only=True):
    """One secret. ``problems`` are remarks on it that stop no rotation of its account."""

    vault: str
    secret: str
    account: str | None
    account_name: str | None
    slug: str | None
    state: SecretState
    slot: Slot | None
    published_at: Time | None
    age_days: float | None
    expires: Time | None
    expires_in_days: float | None
    next: str
    next_at: Time | None
    why: str
    phase: str
    operation: str | None
    last_operation: LastOperationReply | None
    error: TroubleReply | None
    problems: list[str]


class CallerReply(Reply, frozen=True, kw_only=True):
    """The authenticated caller."""

    name: str
    roles: list[str]


class LastSweepReply(Reply, frozen=True, kw_only=True):
    """The latest sweep; ``ageSeconds`` counts from the latest one that succeeded."""

    at: Time
    age_seconds: int | None
    accounts: int
    problems: list[str]
    stopped: str


class SummaryReply(Reply, frozen=True, kw_only=True):
    """The number of secrets in each state, and the extremes of their ages, in days."""

    secrets: int
    accounts: int
    states: dict[str, int]
    oldest_key_days: float | None
    next_expiry_days: float | None
    last_sweep: LastSweepReply | None


class UnmanagedAccountReply(Reply, frozen=True, kw_only=True):
    """An account without an enrolled secret."""

    account: str
    account_name: str
    kind: str
    reason: str


class UnmanagedSecretReply(Reply, frozen=True, kw_only=True):
    """A secret that looks like a key and is not enrolled."""

    vault: str
    secret: str
    reason: str


class UnmanagedReply(Reply, frozen=True, kw_only=True):
    """Resources that are not managed by this service."""

    accounts: list[UnmanagedAccountReply]
    secrets: list[UnmanagedSecretReply]


class VerdictLevel(StrEnum):
    """The urgency of a verdict, the least urgent first."""

    OK = "ok"
    ATTENTION = "attention"
    FAILING = "failing"


class VerdictReply(Reply, frozen=True, kw_only=True):
    """The verdict on all secrets and on the sweep, with its reasons, the worst first."""

    level: VerdictLevel
    reasons: list[str]


class FleetHoldReply(Reply, frozen=True, kw_only=True):
    """The hold of all scheduled work. ``problem`` says why a stored one is not in force."""

    held: bool
    until: Time | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    requester: str | UnsetType = UNSET
    since: Time | UnsetType = UNSET
    problem: str | UnsetType = UNSET


class FleetReply(Reply, frozen=True, kw_only=True):
    """All enrolled secrets. ``hold`` is absent if scheduled work is not held."""

    at: Time
    caller: CallerReply
    verdict: VerdictReply
    summary: SummaryReply
    secrets: list[RowReply]
    unmanaged: UnmanagedReply
    problems: list[str]
    hold: FleetHoldReply | UnsetType = UNSET


class HealthStatus(StrEnum):
    """The status of the sweep: ok while it runs on schedule."""

    OK = "ok"
    DEGRADED = "degraded"


class HealthReply(Reply, frozen=True, kw_only=True):
    """The health of the service; it contains nothing else, because it needs no role.

    ``held`` is true while a person holds all scheduled work, which is not a fault; else absent.
    """

    status: HealthStatus
    last_sweep_age_seconds: int | None
    held: bool | UnsetType = UNSET
