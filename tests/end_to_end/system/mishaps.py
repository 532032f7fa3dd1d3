"""What befalls the workers, at random moments: kills, freezes, broken leases, late requests."""

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

# Calls that change Azure take this long, as they do there: between effect and answer a kill hurts.
SLOWNESS = timedelta(seconds=0.5)
FREEZE_SECONDS = 3.0
# Longer than it takes to send the request again.
LATE_SECONDS, LATE_REQUESTS = 9.0, 4
AIMED = 0.7  # of the kills and freezes; the others are blind
WANTED = {"kill": 4, "freeze": 2}

Mishap = Callable[[Worker, random.Random], Coroutine[Any, Any, None]]


def slow_and_late(estate: Estate, seed: str) -> None:
    """A few regenerates are not answered and carried out late; the others are slow."""
    faults, rng = estate.azure.faults, random.Random(f"{seed} late")
    for skip in rng.sample(range(10, 80), LATE_REQUESTS):
        faults.add(Fault("late", "arm.regenerate_key", seconds=LATE_SECONDS, skip=skip))
    for operation in CHANGES:
        faults.add(Fault("delay", operation, seconds=SLOWNESS.total_seconds(), times=10**6))


@dataclass
class Mishaps:
    """``hits`` counts those that struck a worker which waited for the answer to a change."""

    fleet: Fleet
    estate: Estate
    shared: Shared
    seed: str
    done: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    robbed: Counter[str] = field(default_factory=Counter)

    def unknown_outcomes(self, found: Enrolled) -> int:
        """At most so many of an account's regenerates had an outcome that nobody knew."""
        return self.done.total() + self.robbed[found.id.slug] + LATE_REQUESTS

    def __str__(self) -> str:
        kinds = (f"{self.done[name]} times {name}, {self.hits[name]} hit" for name in WANTED)
        met = f"{self.robbed.total()} leases broken, {self.fleet.conflicts()} writes refused"
        return "; ".join((*kinds, met))

    async def strike(self) -> None:
        """Kills and freezes, until enough of both have hit."""
        rng = random.Random(f"{self.seed} strike")
        mishaps: dict[str, Mishap] = {"kill": self._kill, "freeze": self._freeze}
        while (missing := self._missing()) and self.estate.unfinished():
            await asyncio.sleep(rng.uniform(0.5, 2.5))
            name, worker = rng.choice(missing), rng.choice(self.fleet.workers)
            if rng.random() < AIMED:
                worker = await self._whom_it_hurts(worker, rng)
            self.done[name] += 1
            self.hits[name] += worker.is_changing(SLOWNESS)
            await mishaps[name](worker, rng)

    def _missing(self) -> list[str]:
        return [name for name, wanted in WANTED.items() if self.hits[name] < wanted]

    async def _whom_it_hurts(self, worker: Worker, rng: random.Random) -> Worker:
        """Any that changes something just now; but do not wait long for one."""
        for _ in range(250):
            busy = [one for one in self.fleet.workers if one.is_changing(SLOWNESS / 2)]
            if busy:
                return rng.choice(busy)
            await asyncio.sleep(0.02)
        return worker

    async def _kill(self, worker: Worker, rng: random.Random) -> None:
        """And the others need not wait for what it held."""
        await worker.kill()
        await asyncio.sleep(rng.uniform(0, 1))
        await asyncio.gather(worker.start(), self._rob_all())

    async def _freeze(self, worker: Worker, rng: random.Random) -> None:
        """Meanwhile the others take over whatever it was at."""
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
        """For ever: breaks leases, here and there."""
        rng = random.Random(f"{self.seed} steal")
        while True:
            await asyncio.sleep(rng.uniform(0, 0.4))
            unfinished = self.estate.unfinished()
            if unfinished:
                await self._rob(rng.choice(unfinished))

    async def _rob(self, found: Enrolled) -> None:
        """Break the lease where it is held, and send another worker to the account."""
        if await self.shared.break_lease(found.id):
            self.robbed[found.id.slug] += 1
            await self.shared.ask_for_a_visit(found.id)
