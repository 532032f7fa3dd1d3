"""The whole service in one world: several workers, the timer, and Event Grid's deliveries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from rotation.domain.errors import RotationError
from rotation.domain.policy import Policy
from rotation.engine.emergencies import PREFIX

from .interceptor import Crash
from .worker import Worker
from .world import World

SWEEP_PERIOD = timedelta(minutes=30)
RESPONSE_PERIOD = timedelta(minutes=1)
RESTART_SECONDS = 60.0
DELIVERY_SECONDS = 60.0


class Service:
    """``clock_skews`` has the seconds by which each worker's clock is wrong."""

    def __init__(
        self, world: World, policy: Policy, clock_skews: tuple[int, ...], rng: random.Random
    ) -> None:
        self._world, self._policy, self._rng = world, policy, rng
        self._workers = [
            Worker(world, policy, f"w{number}", timedelta(seconds=skew))
            for number, skew in enumerate(clock_skews)
        ]

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """Return everything that runs for ever."""
        processes = [self._keep_running(number) for number in range(len(self._workers))]
        return [*processes, self._sweep(), self._respond(), self._deliver_events()]

    def correct_clocks(self) -> None:
        for worker in self._workers:
            worker.skew = timedelta()

    async def with_any_worker(self, action: Callable[[Worker], Awaitable[Any]]) -> bool:
        """Call something on a worker; return whether it succeeded."""
        try:
            await action(self._rng.choice(self._workers))
        except RotationError:
            return False
        except Crash:
            self._world.storage.wake()
            return False
        return True

    async def _keep_running(self, number: int) -> None:
        """Restart a worker when it has crashed, as the platform does."""
        while True:
            with suppress(Crash):
                await self._workers[number].serve()
            self._world.interceptor.note(f"w{number} is gone")
            await asyncio.sleep(RESTART_SECONDS)
            before = self._workers[number]
            self._workers[number] = Worker(self._world, self._policy, before.name, before.skew)

    async def _sweep(self) -> None:
        while True:
            await self.with_any_worker(lambda worker: worker.triggers.sweep())
            await asyncio.sleep(SWEEP_PERIOD.total_seconds())

    async def _respond(self) -> None:
        """Run the timer of the emergencies. Without an open one it would only list them."""
        while True:
            documents = self._world.storage.documents.items()
            if any(name.startswith(PREFIX) and _is_open(body) for name, (body, _) in documents):
                await self.with_any_worker(lambda worker: worker.triggers.respond())
            await asyncio.sleep(RESPONSE_PERIOD.total_seconds())

    async def _deliver_events(self) -> None:
        """Deliver each event at least once, as Event Grid does: until a worker has accepted it."""
        while True:
            for topic, delivery in self._world.azure.due_deliveries():
                accepted = await self.with_any_worker(partial(_handle_event, delivery.event))
                topic.report(delivery, 200 if accepted else 500)
            await asyncio.sleep(DELIVERY_SECONDS)


def _is_open(emergency: bytes) -> bool:
    """Return whether a document is of an open emergency, or cannot be read."""
    return b'"verdict":"open"' in emergency or b'"verdict":' not in emergency


async def _handle_event(event: dict[str, Any], worker: Worker) -> None:
    await worker.triggers.handle_event(event)
