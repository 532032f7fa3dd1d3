"""The journal's record of one account: intents and times, never key material.

Azure has the true state; this record resolves ambiguities and answers "what happened?".
Every struct is frozen; a step changes a copy with ``msgspec.structs.replace``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from .ids import AccountId
from .keys import Slot
from .membership import Member
from .operation import Intent, Operation, Phase
from .request import OPERATOR_ANSWERS, Request

HISTORY = 20

# After a lost record, untagged secrets are looked for, but not longer: some in each sweep.
RECOVERY = timedelta(hours=48)

LEFT = 50  # names of secrets that left, and must not come back by an earlier version's tags

OUTBOX = 20  # notifications that a record keeps until they are delivered

FORMAT = 1


class ObservedVersion(Struct, frozen=True):
    """The latest version of a target when it was last read."""

    version: str
    fingerprint: str
    since: datetime | None = None
    tagged: bool = True
    foreign: bool = False


class Notification(Struct, frozen=True):
    """A notification waiting to be delivered; ``id`` de-duplicates redeliveries."""

    id: str
    type: str
    at: datetime
    data: Mapping[str, str]


class Failure(Struct, frozen=True):
    """An error or a block: a searchable code, what happened, and the remedy."""

    code: str
    message: str
    remedy: str
    since: datetime


class Repair(Struct, frozen=True):
    """The number of repairs of a target in a row, and the time of the last."""

    count: int
    at: datetime


class Nudge(Struct, frozen=True):
    """A request to a consumer to read its secrets again, once they have new ``versions``.

    ``next_at`` is the time of the next attempt; None if it succeeded or if the last one failed.
    """

    versions: tuple[str, ...]
    next_at: datetime | None
    tries: int = 0
    error: str = ""


class Hold(Struct, frozen=True):
    """The time for which something held back steps that were ready.

    ``since`` is when the present spell began, or None. ``spent`` is the sum of the former spells.
    """

    since: datetime | None = None
    spent: timedelta = timedelta()

    def total(self, now: datetime) -> timedelta:
        """Return the sum of all spells."""
        return self.spent + (now - self.since if self.since else timedelta())

    def at(self, now: datetime, held: bool) -> Hold:
        """Return it as of ``now``: a spell begins, goes on or is over."""
        if held == (self.since is not None):
            return self
        return Hold(now if held else None, self.total(now))


class Record(Struct, frozen=True):
    """The stored record of one account.

    ``held`` are the holds on the next rotation or the running one, by secret and, under an empty
    name, of the account. ``nudges`` are by a consumer's name. ``searched``: since ``began_at``, all
    untagged secrets were looked at. ``rest``: if the last visit left the account at rest, what
    the listings then showed of its secrets (``standing.digest``, in hexadecimal).
    """

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
    members: Mapping[str, Member] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    known_keys: Mapping[Slot, str] = field(default_factory=dict)
    former: tuple[str, ...] = ()
    foreign_changes: tuple[datetime, ...] = ()
    repairs: Mapping[str, Repair] = field(default_factory=dict)
    published: str | None = None
    frozen_bindings: bool = False
    began_at: datetime | None = None
    left: tuple[str, ...] = ()
    format: int = FORMAT
    births: Mapping[str, datetime] = field(default_factory=dict)
    held: Mapping[str, Hold] = field(default_factory=dict)
    searched: bool = False
    nudges: Mapping[str, Nudge] = field(default_factory=dict)
    rest: str = ""

    def is_young(self, now: datetime) -> bool:
        """Return whether the record replaces a lost one and is not complete yet."""
        return self.began_at is not None and now - self.began_at < RECOVERY

    @property
    def pending_answer(self) -> Request | None:
        """An operator's answer that has not been processed yet."""
        return next(
            (request for request in self.requests if request.kind in OPERATOR_ANSWERS), None
        )

    @property
    def is_blocked(self) -> bool:
        """Return whether it is waiting for an operator's answer."""
        return self.blocked is not None and self.pending_answer is None

    def find(self, operation_id: str) -> Operation | Request | None:
        """Find an operation, by its id or that of a request it fulfils, or a waiting request."""
        for operation in (self.operation, *reversed(self.history)):
            if operation and operation_id in (operation.id, *operation.requests):
                return operation
        return next((request for request in self.requests if request.id == operation_id), None)
