"""An operation and its audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from .keys import Slot
from .request import Leaked

AUDIT = 60

BY_POLICY = "ForbiddenByPolicy"  # Key Vault's code if Azure Policy refuses a version

ANOTHER_WRITER = "another-writer"


class Phase(StrEnum):
    """The phase of an operation; docs/architecture.md describes them."""

    IDLE = "idle"
    REGENERATE = "regenerate"
    VERIFY = "verify"
    PUBLISH = "publish"
    OVERLAP = "overlap"
    REVOKE = "revoke"
    PROVE = "prove"
    CLEAN = "clean"


class Purpose(StrEnum):
    """The purpose of an operation."""

    ROTATE = "rotate"
    REPAIR = "repair"
    EMERGENCY = "emergency"
    FINISH = "finish"


class Ending(StrEnum):
    """The way an operation ended: few values, for counting."""

    DONE = "done"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    OVERTAKEN = "overtaken"
    UNENROLLED = "no"
    NOT_PROVEN = "not-proven"


class Intent(Struct, frozen=True):
    """A regenerate, stored before it is sent. ``before`` is the fingerprint of the old value."""

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
    """A version that a publish created, as Key Vault returned it.

    ``first`` is when the operation first published to that secret; ``times`` is how often it did.
    """

    version: str
    created: datetime
    first: datetime | None = None
    times: int = 1

    def following(self, before: PublishedVersion | None) -> PublishedVersion:
        """Return it as the next one after ``before`` on the same secret."""
        if before is None:
            return replace(self, first=self.created)
        return replace(self, first=before.first or before.created, times=before.times + 1)


class Attempt(Struct, frozen=True):
    """Failed attempts to publish to a target: the first, and the last.

    Of an emergency, all failures; otherwise those that a policy refused.

    ``hopeless``: only a person can change it, so that nothing waits for it.
    """

    since: datetime
    at: datetime
    code: str
    hopeless: bool = False
    count: int = 1

    @property
    def overwritten(self) -> bool:
        """Return whether somebody else wrote over what we published."""
        return self.code == ANOTHER_WRITER


class Operation(Struct, frozen=True):
    """A rotation, repair or emergency; it has an ``outcome`` once it has ended.

    ``regenerated_at`` is when it last sent a regenerate; ``proven`` says that the old key was
    refused when used. Records of earlier versions lack the last four members: see ``legacy``.

    ``attempts`` are by target. ``unproven``: the new key may be published although no probe can
    prove it; ``without_successor``: none is published. Only emergencies do that.

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
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    unproven: bool = False
    without_successor: bool = False
    left_behind: tuple[str, ...] = ()

    def noting(self, at: datetime, what: str) -> Operation:
        """Return the operation with one more line in its audit trail."""
        return replace(self, audit=self.audited(at, what))

    def audited(self, at: datetime, what: str) -> tuple[AuditEntry, ...]:
        """Return the audit trail with one more line. A full one drops its second line."""
        audit = (*self.audit, AuditEntry(at, what))
        return audit if len(audit) <= AUDIT else (*audit[:1], *audit[2:])
