"""The checker's memory of one account."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from rotation.domain.keys import Slot


@dataclass
class Ledger:
    """``intents`` and ``emergencies`` are ids. ``disturbed_at`` is when a person last interfered.

    After ``journal_lost`` the checker can no longer tell which regenerates belong together.
    """

    regenerated: list[tuple[datetime, Slot]] = field(default_factory=list)
    per_operation: Counter[tuple[str, str]] = field(default_factory=Counter)
    intents: set[str] = field(default_factory=set)
    emergencies: set[str] = field(default_factory=set)
    in_emergency: bool = False
    operation: str = ""
    epoch: int = 0
    observed_secrets: set[str] = field(default_factory=set)
    recent_keys: list[bytes] = field(default_factory=list)
    journal_lost: bool = False
    disturbed_at: datetime | None = None
