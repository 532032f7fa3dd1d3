"""Applications that use a key: each reads its secret at its own rhythm, and calls often."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotation.domain.ids import TargetId

from .invariants import Invariant
from .world import World

SLACK = timedelta(minutes=1)
CALLS_PER_READ = 3


@dataclass
class Consumer:
    """``rhythm`` is the time between reads, at most the overlap."""

    world: World
    target: TargetId
    rhythm: timedelta
    value: str = ""
    read_at: datetime | None = None

    async def run(self, rng: random.Random) -> None:
        await asyncio.sleep(rng.random() * self.rhythm.total_seconds())
        while True:
            self._read()
            for _ in range(CALLS_PER_READ):
                self._use()
                await asyncio.sleep(self.rhythm.total_seconds() / CALLS_PER_READ)

    def _read(self) -> None:
        versions = self.world.secrets().get(self.target)
        if versions and versions[-1].enabled:
            self.value, self.read_at = versions[-1].value, self.world.now

    def _use(self) -> None:
        """Use the key, unless a person kept it from reading again, or an emergency cut it off."""
        if self.read_at is None or self.world.now - self.read_at > self.rhythm + SLACK:
            return
        self.world.consumer_requests += 1
        self.world.consumer_failures[self.target] += not self.world.accepts(self.value)
        seen = self.world.observations
        if self.value in seen.cut_off:
            return
        works = self.world.accepts(self.value)
        excused = not works and seen.excuses.of_use(self.target, self.value)
        message = f"a consumer of {self.target.name} has a key that does not work"
        self.world.invariants.require(Invariant.CONSUMER_SERVED, works, message, excused=excused)
