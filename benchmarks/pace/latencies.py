"""The latency of each call: a median by service, and a seeded spread of a fifth around it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

# Seconds, by the beginning of a call's name.
MEDIANS: Mapping[str, float] = {
    "arm.get_account": 0.1,
    "arm.list_keys": 0.3,
    "arm.regenerate_key": 1.5,
    "keyvault.": 0.04,
    "probe": 0.15,
    "eventgrid.": 0.04,
    "journal.": 0.01,
    "queue.": 0.01,
}

SPREAD = 0.2


@dataclass
class Latencies:
    """The same seed gives the same latencies for the same calls."""

    seed: int = 0
    _random: random.Random = field(init=False)
    _known: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def of(self, name: str) -> float:
        """Return the seconds of one call."""
        if name not in self._known:
            self._known[name] = next(s for start, s in MEDIANS.items() if name.startswith(start))
        return self._known[name] * self._random.uniform(1 - SPREAD, 1 + SPREAD)
