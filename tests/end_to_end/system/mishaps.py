"""Kills, freezes, broken leases and late requests at random moments."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from emulator.core.faults import Fault

from .estate import Enrolled, Estate
from .fleet import CHANGES, Fleet, Worker
from .shared import Shared

# How long calls that change Azure take, so that a worker can be killed before the response.
SLOWNESS = timedelta(seconds=0.5)
FREEZE_SECONDS = 3.0
# Longer than it takes until the request is sent again.
LATE_SECONDS, LATE_REQUESTS = 9.0, 4
AIMED = 0.7  # share of the kills and freezes that wait for a call that changes Azure
WANTED = {"kill": 4, "freeze": 2}

Mishap = Callable[[Worker, random.Random], Coroutine[Any, Any, None]]


def slow_and_late(estate: Estate, seed: str) -> None:
    """Let a few regenerates have no response and happen late, and make the others slow."""
    faults, rng = estate.azure.faults, random.Random(f"{seed} late")
    for skip in rng.sample(range(10, 80), LATE_REQUESTS):
        faults.add(Fault("late", "arm.regenerate_key", seconds=LATE_SECONDS, skip=skip))
    for operation in CHANGES:
        faults.add(Fault("delay", operation, seconds=SLOWNESS.total_seconds(), times=10**6))


@dataclass
class Mishaps:
    """``hits`` counts the mishaps of workers that were waiting for the response to a change."""

    fleet: Fleet
    estate: Estate
    shared: Shared
    seed: str
    done: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    robbed: Counter[str] = field(default_factory=Counter)

    def unknown_outcomes(self, found: Enrolled) -> int:
        """Return how many of an account's regenerates can have had an unknown outcome."""
        return self.done.total() + self.robbed[found.id.slug] + LATE_REQUESTS

    def __str__(self) -> str:
        kinds = (f"{self.done[name]} times {name}, {self.hits[name]} hit" for name in WANTED)
        return "; ".join((*kinds, f"{self.robbed.total()} leases broken"))

    async def strike(self) -> None:
        """Kill and freeze workers until enough of both have hit."""
        rng = random.Random(f"{self.seed} strike")
        mishaps: dict[str, Mishap] = {"kill": self._kill, "freeze": self._freeze}
        while (missing := self._missing()) and self.estate.unfinished():
            await asyncio.sleep(rng.uniform(0.5, 2.5))
            name, worker = rng.choice(missing), rng.choice(self.fleet.workers)
            if rng.random() < AIMED:
                worker = await self._changing_worker(worker, rng)
            self.done[name] += 1
            self.hits[name] += worker.is_changing(SLOWNESS)
            await mishaps[name](worker, rng)

    def _missing(self) -> list[str]:
        return [name for name, wanted in WANTED.items() if self.hits[name] < wanted]

    async def _changing_worker(self, worker: Worker, rng: random.Random) -> Worker:
        """Return a worker that is changing Azure, or the given one if there is none soon."""
        for _ in range(250):
            busy = [one for one in self.fleet.workers if one.is_changing(SLOWNESS / 2)]
            if busy:
                return rng.choice(busy)
            await asyncio.sleep(0.02)
        return worker

    async def _kill(self, worker: Worker, rng: random.Random) -> None:
        """Kill and restart a worker, and break all leases so that the others need not wait."""
        await worker.kill()
        await asyncio.sleep(rng.uniform(0, 1))
        await asyncio.gather(worker.start(), self._rob_all())

    async def _freeze(self, worker: Worker, rng: random.Random) -> None:
        """Freeze a worker while the others take over its accounts."""
        with worker.frozen():
            robbing = asyncio.create_task(self._rob_all())
            await asyncio.sleep(FREEZE_SECONDS)
        await robbing

    async def _rob_all(self) -> None:
        held = await self.shared.leased()
        for found in self.estate.unfinished():
            if found.id.slug in held:
                await self._rob(found)

    async def steal(self) -> None:
        """Break leases at random, for ever."""
        rng = random.Random(f"{self.seed} steal")
        while True:
            await asyncio.sleep(rng.uniform(0, 0.4))
            unfinished = self.estate.unfinished()
            if unfinished:
                await self._rob(rng.choice(unfinished))

    async def _rob(self, found: Enrolled) -> None:
        """Break an account's lease, if it is held, and enqueue a visit for another worker."""
        if await self.shared.break_lease(found.id):
            self.robbed[found.id.slug] += 1
            await self.shared.ask_for_a_visit(found.id)
