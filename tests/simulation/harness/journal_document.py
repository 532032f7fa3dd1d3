"""The members of a journal document that the checker reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Operation(msgspec.Struct):
    id: str
    purpose: str
    started_at: datetime
    retired: str | None = None
    outcome: str | None = None
    ending: str | None = None
    proven: bool = False
    requests: list[str] = []


class Intent(msgspec.Struct):
    id: str


class Request(msgspec.Struct):
    id: str
    kind: str
    leaked: str


class JournalDocument(msgspec.Struct):
    """A record as it is stored."""

    account: dict[str, str]
    salt: str
    epoch: int
    operation: Operation | None
    intent: Intent | None
    requests: list[Request] = msgspec.field(name="wishes")
    history: list[Operation]
    seen: dict[str, Any]
    members: dict[str, Any] = {}


decode = msgspec.json.Decoder(JournalDocument).decode
