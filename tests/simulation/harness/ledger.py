"""What the checker remembers of an account, and what it reads of the journal's documents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from rotation.domain.model import Slot


class Operation(msgspec.Struct):
    id: str
    purpose: str
    started_at: datetime
    retired: str | None = None
    outcome: str | None = None
    ending: str | None = None
    proven: bool = False


class Intent(msgspec.Struct):
    id: str


class Wish(msgspec.Struct):
    id: str
    kind: str
    leaked: str


class Document(msgspec.Struct):
    """What the checker wants to know of a record."""

    account: dict[str, str]
    salt: str
    epoch: int
    operation: Operation | None
    intent: Intent | None
    wishes: list[Wish]
    history: list[Operation]
    seen: dict[str, Any]


DOCUMENT = msgspec.json.Decoder(Document)


@dataclass
class Ledger:
    """What is remembered of one account. ``disturbed`` is when a person last meddled."""

    regenerated: list[tuple[datetime, Slot]] = field(default_factory=list)
    intents: set[str] = field(default_factory=set)
    emergencies: set[str] = field(default_factory=set)
    emergency: bool = False
    epoch: int = 0
    unsure: bool = False
    disturbed: datetime | None = None
    material: list[bytes] = field(default_factory=list)
    per_operation: Counter[tuple[str, str]] = field(default_factory=Counter)
    operation: str = ""
    seen: set[str] = field(default_factory=set)
