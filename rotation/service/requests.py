"""An operator's request for a rotation, and the errors that refuse one."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from ..domain.errors import Permanent
from ..domain.ids import AccountId, TargetId
from ..domain.request import Leaked, Request
from ..runtime import log


class RotationRequest(Struct, frozen=True):
    """A request to rotate one secret, one account, a whole vault or everything.

    ``confirm`` is the number of accounts that a dry run for everything reported. In an emergency
    ``now`` waits for no secret, ``force`` revokes without a successor if none works, and ``blind``
    goes on although no secret can be read. ``drill``: the leak is only rehearsed.
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
    batch: str | None = None
    now: bool = False
    force: bool = False
    blind: bool = False
    drill: bool = False

    @property
    def is_emergency(self) -> bool:
        """Return whether a key has leaked."""
        return self.leaked is not Leaked.NONE

    @property
    def is_bulk(self) -> bool:
        """Return whether it can concern several accounts."""
        return self.everything or self.vault is not None


class AlreadyRunning(Permanent):
    """The request is already covered by a pending or running operation."""

    def __init__(self, operation_id: str) -> None:
        super().__init__(
            "a rotation of this account is already in progress",
            code="UnderWay",
            remedy=f"follow it: GET /api/rotations/{operation_id}",
        )
        self.operation_id = operation_id


def too_many(pending: int) -> Permanent:
    """Return the error for an account with too many pending requests."""
    return Permanent(
        f"{pending} requests are already pending for this account",
        code="TooManyRequests",
        remedy="see what they are waiting for: GET /api/rotations/{id}",
    )


UNKNOWN_ACCOUNT = "UnknownAccount"


def unknown_account(account: AccountId) -> Permanent:
    """Return the error for an account that does not exist and that nothing names."""
    return Permanent(
        f"Azure has no account {account}, and no record, binding or secret names it",
        code=UNKNOWN_ACCOUNT,
        remedy="correct the id: keyrotation discover lists the accounts",
    )


NOT_FOR_DRILLS = "NotForDrills"


def not_for_drills(account: AccountId) -> Permanent:
    """Return the error for a drill on an account that is not marked for drills."""
    return Permanent(
        f"{account} is not marked for drills: a drill revokes the key in use",
        code=NOT_FOR_DRILLS,
        remedy="add its resource id to the service's setting ROTATION_DRILL_ACCOUNTS, if its "
        "consumers may fail until they read the secret again",
    )


def too_late() -> Permanent:
    """Return the error for a cancellation that comes too late."""
    return Permanent(
        "too late to cancel: a key or secret has already been changed",
        code="TooLate",
        remedy="let it finish; pause the secret to prevent the next rotation",
    )


def log_request(account: AccountId, request: Request) -> None:
    """Log who requested what, for the audit trail."""
    log.info(
        "asked",
        account=str(account),
        id=request.id,
        kind=request.kind.value,
        leaked=request.leaked.value,
        requester=request.requester,
        role=request.role,
        reason=request.reason,
        request=request.request_id,
    )
