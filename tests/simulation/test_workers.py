"""Several workers at once on one account, interleaved at every call by a seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from rotation.model import Slot
from rotation.record import Leaked, Phase

from .test_faults import guard
from .test_rotation import request
from .world import Worker, World, WorldQueue

T = TypeVar("T")


class Interleaved(World):
    """Each call lets the other workers go first, as often as the seed says."""

    chance = random.Random(0)

    async def call(self, name: str, effect: Callable[[], T], *, changes: bool = False) -> T:
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)
        return await super().call(name, effect, changes=changes)


def build(seed: int) -> tuple[Interleaved, list[Worker]]:
    world = Interleaved()
    world.chance = random.Random(seed)
    world.add_account()
    world.add_secret("one")
    world.add_secret("two")
    guard(world)
    queue = WorldQueue(world)
    return world, [Worker(world, queue=queue) for _ in range(3)]


async def finish(world: World, workers: list[Worker]) -> None:
    for _ in range(12):
        await asyncio.gather(*(worker.visit() for worker in workers))
        await workers[0].run(timedelta(hours=4))


@pytest.mark.parametrize("seed", range(60))
async def test_racing_workers_make_no_outage_and_no_double_rotation(seed: int) -> None:
    world, workers = build(seed)
    await finish(world, workers)
    record = await workers[0].record()
    assert record.phase is Phase.IDLE
    assert len(record.history) == 1, "one rotation, however many workers"
    published = {versions[-1].value for versions in world.secrets.values()}
    assert len(published) == 1
    assert world.accepts(published.pop())
    assert len(world.regenerated) <= 2 * len(workers)


@pytest.mark.parametrize("seed", range(30))
async def test_an_emergency_may_come_at_any_moment_of_a_race(seed: int) -> None:
    world, workers = build(seed)
    target = next(iter(world.secrets))
    leaked = world.latest(target).value
    await asyncio.gather(
        workers[0].visit(),
        workers[1].triggers.request(request(target, Leaked.KEY1)),
        workers[2].visit(),
    )
    await workers[0].run(timedelta(hours=1))
    assert not world.accepts(leaked)
    assert world.accepts(world.latest(target).value)
    await finish(world, workers)
    assert (await workers[0].record()).phase is Phase.IDLE
    assert {world.published(t) for t in world.secrets} <= {Slot.KEY1, Slot.KEY2}


async def test_the_same_event_delivered_twenty_times_is_one_rotation() -> None:
    world, workers = build(7)
    target = next(iter(world.secrets))
    event = {
        "id": "e",
        "topic": "/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv-a",
        "subject": target.name,
        "eventType": "Microsoft.KeyVault.SecretNearExpiry",
        "data": {
            "VaultName": "kv-a",
            "ObjectName": target.name,
            "Version": world.latest(target).version,
        },
    }
    for number in range(20):
        await workers[number % 3].triggers.event(event)
    await workers[0].run(timedelta(days=3))
    record = await workers[0].record()
    assert len(record.history) == 1
    assert record.history[0].reason == "one is near expiry"
    assert len(world.regenerated) == 2
