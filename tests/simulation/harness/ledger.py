"""The checker's memory of one account."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from rotation.domain.keys import Slot


@dataclass
class Ledger:
    """``intents``, ``emergencies`` and those with ``_emergencies`` are ids.

    ``open_emergencies`` have an open document; ``forced_emergencies`` need no successor.
    ``impatient_emergencies`` do not wait for a probe that cannot tell whether a key works.
    ``spares`` counts the keys that an emergency regenerated although they were not reported.
    ``named_in_record``: the account's record names an emergency that waits or is under way.
    ``revoked_by_hand`` is when a person last regenerated a key, and ``journal_lost_at`` when the
    service last forgot what it had done.
    """

    regenerated: list[tuple[datetime, Slot]] = field(default_factory=list)
    per_operation: defaultdict[tuple[str, str], list[datetime]] = field(
        default_factory=lambda: defaultdict(list)
    )
    spares: Counter[str] = field(default_factory=Counter)
    intents: set[str] = field(default_factory=set)
    emergencies: set[str] = field(default_factory=set)
    open_emergencies: set[str] = field(default_factory=set)
    forced_emergencies: set[str] = field(default_factory=set)
    impatient_emergencies: set[str] = field(default_factory=set)
    named_in_record: bool = False
    operation: str = ""
    epoch: int = 0
    observed_secrets: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    recent_keys: list[bytes] = field(default_factory=list)
    revoked_by_hand: datetime | None = None
    journal_lost_at: datetime | None = None

    @property
    def in_emergency(self) -> bool:
        return self.named_in_record or bool(self.open_emergencies)
