"""Applications that use a key: each reads its secret again at its own rhythm, and calls often."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotation.domain.model import TargetId

from .checker import Violation
from .world import World

SLACK = timedelta(minutes=1)


@dataclass
class Consumer:
    """``rhythm`` is at most the overlap: that is what the service promises for."""

    world: World
    target: TargetId
    rhythm: timedelta
    value: str = ""
    read_at: datetime | None = None

    async def run(self, rng: random.Random) -> None:
        await asyncio.sleep(rng.random() * self.rhythm.total_seconds())
        while True:
            self._read()
            for _ in range(3):
                self._use()
                await asyncio.sleep(self.rhythm.total_seconds() / 3)

    def _read(self) -> None:
        versions = self.world.secrets().get(self.target)
        if versions and versions[-1].enabled:
            self.value, self.read_at = versions[-1].value, self.world.now

    def _use(self) -> None:
        if self.read_at is None or self.world.now - self.read_at > self.rhythm + SLACK:
            return  # somebody keeps the secret from it
        self.world.consumer_requests += 1
        if self.world.accepts(self.value) or self.value in self.world.checker.excused_values:
            return
        raise Violation(f"a consumer of {self.target.name} holds a key that does not work")
