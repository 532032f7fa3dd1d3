"""The time from a sweep over keys that are all due until the last new key is published."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from rotation.service.service import Service
from tests.simulation.harness.virtual_time import run

from . import bound
from .estate import Estate, Shape

PERIOD = timedelta(minutes=15)

BATCH = 8  # messages that an instance handles at once: batchSize of host.json

_PUBLISHED = b'"phase":"overlap"'


@dataclass(frozen=True)
class Makespan:
    """``seconds`` until the last key; ``bound`` is the shortest time under ``limit``."""

    shape: str
    keys: int
    workers: int
    seconds: float
    bound: float
    ratio: float
    throttled_share: float
    limit: str


class Finish:
    """Tells when every account has published its new key."""

    def __init__(self, estate: Estate) -> None:
        self._estate, self._done = estate, set[str]()
        self.all = asyncio.Event()
        self.seconds = 0.0
        self._start = estate.azure.clock.now()
        estate.storage.watchers.append(self._written)

    def _written(self, name: str, body: bytes) -> None:
        if _PUBLISHED not in body or name in self._done:
            return
        self._done.add(name)
        self.seconds = (self._estate.azure.clock.now() - self._start).total_seconds()
        if len(self._done) == self._estate.shape.keys:
            self.all.set()


async def sweeps(service: Service) -> None:
    """Sweep now and after each period."""
    while True:
        begun = asyncio.get_running_loop().time()
        await service.triggers.sweep()
        spent = asyncio.get_running_loop().time() - begun
        await asyncio.sleep(max(PERIOD.total_seconds() - spent, 0))


def measure(shape: Shape, workers: int, path: float = 0.0) -> Makespan:
    """Rotate a fleet on so many workers; ``path`` is the time of a single account."""
    estate = Estate(shape)
    seconds = run(estate.azure.clock, _rotate(estate, workers, sweeps))
    least = bound.of(shape.places())
    calls = estate.interceptor
    return Makespan(
        shape.name,
        shape.keys,
        workers,
        round(seconds, 1),
        round(least.seconds + path, 1),
        round(seconds / (least.seconds + path), 3) if path else 1.0,
        round(len(calls.throttled) / sum(calls.made.values()), 4),
        least.limit,
    )


async def _rotate(
    estate: Estate, workers: int, timer: Callable[[Service], Awaitable[None]]
) -> float:
    finish = Finish(estate)
    async with estate.hosts(workers, BATCH) as service:
        task = asyncio.ensure_future(timer(service))
        await asyncio.wait_for(finish.all.wait(), 24 * 3600)
        task.cancel()
    return finish.seconds
