"""Seeded stories of many hands: workers, people and faults at once; then calm, and all is well.

While it lasts, the checker looks after every change. A person may break consumers by hand;
whatever the service itself does must not.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from rotation.errors import RotationError
from rotation.model import Policy, Slot, TargetId
from rotation.record import Leaked, Phase, WishKind

from .test_rotation import request
from .world import ACCOUNT, Crash, Worker, World, WorldQueue

SEEDS = int(os.environ.get("SEEDS", "150"))  # the same ones on every run; more by hand
STEPS = 60
FAULTS = ("refused", "lost", "lost-before", "late", "crash-before", "crash-after")
VAULTS = ("https://kv-a.vault.azure.net", "https://kv-b.vault.azure.net")


class Checker:
    """The invariants that hold whatever people do, checked at every regenerate and publish."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.observers.append(self.check)

    def check(self, event: str) -> None:
        world = self.world
        latest = [versions[-1] for versions in world.secrets.values() if versions]
        if event.startswith("before-regenerate:"):
            slot = Slot(event.rpartition(":")[2])
            for version in latest:
                assert version.value != world.keys[ACCOUNT][slot], "regenerated a published key"
                if version.enabled:
                    assert world.accepts(version.value), "regenerated while a published key is dead"
        if event == "publish":
            newest = max(latest, key=lambda version: version.version)
            assert newest.value in world.accepted_at_publish, "published what was never proven"
        if event == "disable":
            for versions in world.secrets.values():
                for version in versions[:-1]:
                    live = version.value in world.keys[ACCOUNT].values()
                    assert version.enabled or not live or version.by_person, "disabled a live key"


def people(world: World, targets: list[TargetId], rng: random.Random) -> list[Callable[[], None]]:
    """What somebody may do behind the service's back."""

    def some() -> TargetId:
        return rng.choice([t for t in targets if t in world.secrets])

    def overwrite() -> None:
        value = rng.choice([*world.keys[ACCOUNT].values(), "nonsense"])
        world.by_hand(some(), value)

    def toggle() -> None:
        latest = world.latest(some())
        latest.enabled = not latest.enabled
        latest.by_person = True

    def lag() -> None:
        world.lag_new = timedelta(seconds=rng.choice([0, 0, 20, 200]))
        world.lag_old = timedelta(seconds=rng.choice([0, 0, 40]))

    return [
        lambda: world.regenerate(ACCOUNT, rng.choice(list(Slot))),
        overwrite,
        toggle,
        lag,
        world.documents.clear,
    ]


def once(name: str, number: int, fault: str) -> Callable[[str, int], str | None]:
    """A fault on one call, by its name and number."""
    return lambda called, count: fault if (called, count) == (name, number) else None


async def act(world: World, workers: list[Worker], targets: list[TargetId], seed: int) -> None:
    rng = random.Random(seed)
    hands = people(world, targets, rng)
    for _ in range(STEPS):
        world.advance(timedelta(seconds=rng.choice([1, 10, 100, 1000, 10000])))
        worker = rng.choice(workers)
        if rng.random() < 0.3:
            name = rng.choice(["regenerate", "publish", "disable", "journal-write", "keys", "read"])
            number, fault = world.counted[name], rng.choice(FAULTS)
            world.faults.append(once(name, number, fault))
        if rng.random() < 0.1:
            rng.choice(hands)()
        try:
            if rng.random() < 0.1:
                leaked = rng.choice(list(Leaked))
                await worker.triggers.request(request(rng.choice(targets), leaked))
            if rng.random() < 0.5:
                await worker.visit()
            else:
                await worker.run(timedelta(seconds=rng.choice([1, 60, 3600])))
        except (Crash, RotationError):
            continue


async def calm(world: World, worker: Worker) -> None:
    """Faults stop and people rest: the service must come to rest too, all well."""
    world.faults.clear()
    world.lag_new = world.lag_old = timedelta()
    for versions in world.secrets.values():
        versions[-1].enabled = True
    for _ in range(30):
        await worker.visit()
        await worker.run(timedelta(hours=12))
        record = await worker.record()
        if record.blocked is not None:
            await worker.triggers.answer(
                record.operation.id if record.operation else "", WishKind.RESUME, "me", "go on"
            )


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_many_hands(seed: int) -> None:
    world = World()
    world.add_account()
    targets = [
        world.add_secret("one", vault=VAULTS[0]),
        world.add_secret("two", vault=VAULTS[1], lives=timedelta(days=60)),
    ]
    Checker(world)
    queue = WorldQueue(world)
    policy = Policy(overlap=timedelta(hours=2), daily_cap=20)
    workers = [Worker(world, policy, VAULTS, queue) for _ in range(2)]
    await act(world, workers, targets, seed)
    await calm(world, workers[0])
    record = await workers[0].record()
    assert record.phase is Phase.IDLE, (record.phase, record.waiting, record.blocked)
    assert record.intent is None
    values = {world.latest(target).value for target in targets}
    assert len(values) == 1
    assert world.accepts(values.pop())
    before = (len(world.regenerated), {t: len(v) for t, v in world.secrets.items()})
    await workers[0].visit()
    await workers[0].run(timedelta(hours=12))
    after = (len(world.regenerated), {t: len(v) for t, v in world.secrets.items()})
    assert before == after, "then nothing changes any more"
