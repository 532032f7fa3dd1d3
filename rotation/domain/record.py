"""What the journal remembers of one account: intent and time, never key material.

Truth is Azure itself; this record makes an ambiguity decidable and answers "what happened?".
All of it is frozen; a step evolves it with ``msgspec.structs.replace``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from .ids import AccountId
from .keys import Slot
from .operation import Intent, Operation, Phase
from .request import OPERATOR_ANSWERS, Request

HISTORY = 20


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
