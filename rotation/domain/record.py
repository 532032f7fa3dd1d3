"""What the journal remembers of one account: intent and time, never key material.

Truth is Azure itself; this record makes an ambiguity decidable and answers "what happened?".
All of it is frozen; a step evolves it with ``msgspec.structs.replace``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from .model import AccountId, Slot

HISTORY = 20

AUDIT = 60


class Phase(StrEnum):
    """Where an operation is; docs/architecture.md has the order and what each waits for."""

    IDLE = "idle"
    REGENERATE = "regenerate"
    VERIFY = "verify"
    PUBLISH = "publish"
    OVERLAP = "overlap"
    REVOKE = "revoke"
    PROVE = "prove"
    CLEAN = "clean"


class Purpose(StrEnum):
    """Why an operation runs."""

    ROTATE = "rotate"
    REPAIR = "repair"
    EMERGENCY = "emergency"
    FINISH = "finish"


class Ending(StrEnum):
    """How an operation ended: few values, for counting."""

    DONE = "done"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    OVERTAKEN = "overtaken"
    UNENROLLED = "no"


class Leaked(StrEnum):
    """Which key a person reports as leaked."""

    KEY1 = "key1"
    KEY2 = "key2"
    UNKNOWN = "unknown"
    NONE = "none"

    @property
    def slot(self) -> Slot | None:
        return {Leaked.KEY1: Slot.KEY1, Leaked.KEY2: Slot.KEY2}.get(self)


class RequestKind(StrEnum):
    EXPIRY = "expiry"
    MANUAL = "manual"
    EMERGENCY = "emergency"
    RESUME = "resume"
    ABANDON = "abandon"
    CANCEL = "cancel"


OPERATOR_ANSWERS = (RequestKind.RESUME, RequestKind.ABANDON, RequestKind.CANCEL)


class Request(Struct, frozen=True):
    """A request in the journal. Triggers only write wishes; the reconciler alone acts."""

    id: str
    kind: RequestKind
    reason: str
    requester: str
    at: datetime
    leaked: Leaked = Leaked.NONE
    overlap: timedelta | None = None
    idempotency_key: str | None = None
    secret: str | None = None
    version: str | None = None
    role: str | None = None
    request_id: str | None = None


class Intent(Struct, frozen=True):
    """A regenerate that is about to be sent, or was: stored before the request leaves."""

    id: str
    slot: Slot
    before: str
    issued_at: datetime
    answered: bool = False


class AuditEntry(Struct, frozen=True):
    """One line of the audit trail."""

    at: datetime
    what: str


class PublishedVersion(Struct, frozen=True):
    """The version that a publish made, as Key Vault answered."""

    version: str
    created: datetime


class Operation(Struct, frozen=True):
    """One rotation, repair or emergency under way, or (with ``outcome``) done.

    ``regenerated_at`` is when it last sent a regenerate; ``proven`` says that the old key was
    refused when used. Records of earlier versions lack the last four members: see ``legacy``.

    ``candidate`` is the slot that is or becomes live; ``value`` the fingerprint that VERIFY
    proved. ``revoke`` is the slot to regenerate in the end; ``retired`` its value's fingerprint.
    """

    id: str
    purpose: Purpose
    reason: str
    requester: str
    started_at: datetime
    phase_since: datetime
    candidate: Slot
    overlap: timedelta
    successes_needed: int
    leaked: Leaked = Leaked.NONE
    requests: tuple[str, ...] = field(default=(), name="wishes")
    idempotency_keys: tuple[str, ...] = ()
    revoke: Slot | None = None
    value: str | None = None
    retired: str | None = None
    successes: int = 0
    first_success: datetime | None = None
    tries: int = 0
    expires: datetime | None = None
    overlap_until: datetime | None = None
    overwritten: int = 0
    alarmed: bool = False
    puts: Mapping[str, PublishedVersion] = field(default_factory=dict)
    proof: str | None = None
    audit: tuple[AuditEntry, ...] = ()
    ended_at: datetime | None = None
    outcome: str | None = None
    role: str | None = None
    request_id: str | None = None
    asked_at: datetime | None = None
    began_in: Phase | None = None
    regenerated_at: datetime | None = None
    proven: bool = False
    ending: Ending | None = None

    def noting(self, at: datetime, what: str) -> Operation:
        """With one more line in the audit trail."""
        return replace(self, audit=self.audited(at, what))

    def audited(self, at: datetime, what: str) -> tuple[AuditEntry, ...]:
        """The audit trail with one more line; the oldest but the first give way."""
        audit = (*self.audit, AuditEntry(at, what))
        return audit if len(audit) <= AUDIT else (*audit[:1], *audit[2:])


class ObservedVersion(Struct, frozen=True):
    """What a target's latest version was when it was last read."""

    version: str
    fingerprint: str


class Notification(Struct, frozen=True):
    """Something to tell the outside, kept until it was told. ``id`` makes repeats harmless."""

    id: str
    type: str
    at: datetime
    data: Mapping[str, str]


class Failure(Struct, frozen=True):
    """A failure or a stop: a searchable code, what happened, and what to do."""

    code: str
    message: str
    remedy: str
    since: datetime


class Record(Struct, frozen=True):
    """Everything remembered of one account."""

    account: AccountId
    salt: str
    phase: Phase = Phase.IDLE
    epoch: int = 0
    operation: Operation | None = None
    intent: Intent | None = None
    quarantine: Mapping[Slot, datetime] = field(default_factory=dict)
    requests: tuple[Request, ...] = field(default=(), name="wishes")
    regenerated: tuple[datetime, ...] = ()
    repaired: tuple[datetime, ...] = ()
    published_at: datetime | None = None
    seen: Mapping[str, ObservedVersion] = field(default_factory=dict)
    blocked: Failure | None = None
    last_failure: Failure | None = field(default=None, name="trouble")
    failures: int = 0
    waiting: str = ""
    waiting_until: datetime | None = None
    outbox: tuple[Notification, ...] = ()
    history: tuple[Operation, ...] = ()

    @property
    def pending_answer(self) -> Request | None:
        """What a person said of a stopped operation, and was not acted upon yet."""
        return next(
            (request for request in self.requests if request.kind in OPERATOR_ANSWERS), None
        )

    @property
    def is_blocked(self) -> bool:
        """Whether it waits for a person's answer."""
        return self.blocked is not None and self.pending_answer is None

    def find(self, operation_id: str) -> Operation | Request | None:
        """An operation by its own id or by that of a wish that it took in; or a waiting wish."""
        for operation in (self.operation, *reversed(self.history)):
            if operation and operation_id in (operation.id, *operation.requests):
                return operation
        return next((request for request in self.requests if request.id == operation_id), None)
