"""An account and its operations, as the views show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from rotation.domain.emergency import Emergency
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot
from rotation.domain.operation import AuditEntry, Operation, Phase, PublishedVersion, Purpose
from rotation.domain.record import Failure, Record
from rotation.domain.request import Leaked, Request, RequestKind
from rotation.domain.targets import ListedSecret

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ACCOUNT = AccountId("s", "rg", "chat")
TARGET = TargetId("https://kv-a.vault.azure.net", "chat")
FAILURE = Failure("Forbidden", "not allowed", "grant the role", NOW)
TAGS = {"ProviderAddress": str(ACCOUNT), "ValidityPeriodDays": "90", "CredentialId": "Key1"}
LISTED = ListedSecret(TARGET, ACCOUNT, expires=NOW + 50 * DAY, created=NOW - 20 * DAY, tags=TAGS)
REQUEST = Request(
    "r-1", RequestKind.MANUAL, "please", "ana", NOW, role="Rotation.Operate", request_id="call-1"
)


def record(**members: Any) -> Record:
    """Return the record of an idle account."""
    return replace(Record(ACCOUNT, "salt"), **members)


def operation(name: str = "op-1", **members: Any) -> Operation:
    """Return a rotation that publishes Key2 and revokes Key1."""
    made = Operation(
        name,
        Purpose.ROTATE,
        "due",
        "schedule",
        NOW - DAY,
        NOW - DAY,
        Slot.KEY2,
        26 * HOUR,
        2,
        revoke=Slot.KEY1,
        audit=(AuditEntry(NOW - DAY, "rotate begins in regenerate: due"),),
    )
    return replace(made, **members)


def published(name: str, at: datetime, slot: Slot = Slot.KEY2, **members: Any) -> Operation:
    """Return an operation that is over and first published at ``at``."""
    puts = {
        str(TARGET): PublishedVersion("v1", at),
        f"{TARGET}-2": PublishedVersion("v1", at + HOUR),
    }
    return operation(name, **{"candidate": slot, "puts": puts, "ended_at": at + DAY} | members)


def running(phase: Phase, **members: Any) -> Record:
    """Return a record with a running rotation."""
    return record(**{"phase": phase, "operation": operation()} | members)


def emergency(name: str = "e-1", **members: Any) -> Emergency:
    """Return an open emergency."""
    made = Emergency(name, ACCOUNT, "salt", Leaked.KEY1, "a leak", "ana", NOW)
    return replace(made, **members)
