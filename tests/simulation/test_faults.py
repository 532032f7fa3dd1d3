"""Every single fault at every call of a rotation, a repair, an emergency: it ends well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from rotation.action import Action, Kind
from rotation.errors import RotationError
from rotation.facts import Facts
from rotation.model import AccountId, Slot
from rotation.record import Leaked, Phase, Record

from .test_rotation import request
from .world import ACCOUNT, Crash, Worker, World

DAY = timedelta(days=1)
CHANGES = {"regenerate", "publish", "disable", "journal-write"}
FAULTS = ("refused", "lost", "crash-before", "crash-after")
CHANGING_FAULTS = (*FAULTS, "lost-before", "late")

Story = Callable[[World, Worker], Awaitable[None]]


def guard(world: World) -> None:
    """Invariant: no slot is regenerated whose value any secret publishes."""

    def check(event: str) -> None:
        if not event.startswith("before-regenerate:"):
            return
        slot = Slot(event.rpartition(":")[2])
        published = {versions[-1].value for versions in world.secrets.values()}
        assert world.keys[ACCOUNT][slot] not in published, "regenerated a published key"
        assert all(world.accepts(value) for value in published), "regenerated while one is down"

    world.observers.append(check)


def build() -> tuple[World, Worker]:
    world = World()
    world.add_account()
    world.add_secret("one")
    world.add_secret("two", lives=timedelta(days=60))
    guard(world)
    return world, Worker(world)


async def rotation(world: World, worker: Worker) -> None:
    await until_settled(world, worker, 4 * DAY)


async def emergency(world: World, worker: Worker) -> None:
    target = next(iter(world.secrets))
    for _ in range(3):
        try:
            await worker.triggers.request(request(target, Leaked.KEY1, key="the-leak"))
            break
        except (Crash, RotationError):
            world.advance(timedelta(seconds=5))
    await until_settled(world, worker, 4 * DAY)


async def repair(world: World, worker: Worker) -> None:
    for target in world.secrets:
        world.latest(target).expires = world.now + 80 * DAY
    world.regenerate(ACCOUNT, Slot.KEY1)
    await until_settled(world, worker, DAY)


async def until_settled(world: World, worker: Worker, limit: timedelta) -> None:
    """The queue drives it; a visit by the timer is the backstop for what was lost."""
    end = world.now + limit
    while world.now < end:
        try:
            await worker.visit()
            await worker.run(timedelta(hours=4))
        except Crash:
            world.advance(timedelta(seconds=30))
        if world.now < end and await settled(worker):
            break
    await worker.run(DAY)


async def settled(worker: Worker) -> bool:
    record = await worker.record()
    return record.phase is Phase.IDLE and not record.wishes and bool(record.history)


async def calls_of(story: Story) -> list[tuple[str, int]]:
    world, worker = build()
    await story(world, worker)
    counted: dict[str, int] = {}
    calls = []
    for name in world.calls:
        calls.append((name, counted.get(name, 0)))
        counted[name] = counted.get(name, 0) + 1
    return [call for call in calls if call[0] != "probe"]


async def check_story(story: Story, name: str, number: int, fault: str) -> World:
    world, worker = build()
    world.faults.append(lambda n, i: fault if (n, i) == (name, number) else None)
    await story(world, worker)
    record = await worker.record()
    where = f"{fault} at {name} #{number}"
    assert record.phase is Phase.IDLE, where
    published = {versions[-1].value for versions in world.secrets.values()}
    assert len(published) == 1, where
    assert world.accepts(published.pop()), where
    unknown = fault in ("lost", "lost-before", "late", "crash-after", "crash-before")
    assert len(world.regenerated) <= 2 + unknown, where
    return world


@pytest.mark.parametrize("story", [rotation, emergency, repair], ids=lambda s: s.__name__)
async def test_every_single_fault(story: Story) -> None:
    tried = 0
    for name, number in await calls_of(story):
        for fault in CHANGING_FAULTS if name in CHANGES else FAULTS:
            world = await check_story(story, name, number, fault)
            if story is not repair:
                assert {slot for _, slot in world.regenerated} >= {Slot.KEY1}
            tried += 1
    assert tried > 100


async def test_a_late_request_never_kills_the_published_key() -> None:
    """The request is lost, sent again, and the first one comes in 45 seconds later."""
    world, worker = build()
    world.faults.append(lambda n, i: "late" if (n, i) == ("regenerate", 0) else None)
    await worker.visit()
    await worker.run(timedelta(minutes=5))
    assert world.published(next(iter(world.secrets))) is Slot.KEY1, "in quarantine"
    await worker.run(timedelta(minutes=20))
    target = next(iter(world.secrets))
    assert world.published(target) is Slot.KEY2
    assert world.accepts(world.latest(target).value)
    assert [slot for _, slot in world.regenerated] == [Slot.KEY2, Slot.KEY2]


async def test_a_refused_vault_keeps_its_own_secrets_waiting_and_no_others() -> None:
    world = World()
    vaults = ("https://kv-a.vault.azure.net", "https://kv-b.vault.azure.net")
    other = AccountId("sub-1", "rg-keys", "other")
    world.add_account()
    world.add_account(other)
    here = world.add_secret("one", vault=vaults[0])
    there = world.add_secret("two", vault=vaults[1], account=other)
    world.unlistable.add(vaults[1])
    worker = Worker(world, vaults=vaults)
    await worker.triggers.sweep()
    await worker.run(timedelta(hours=1))
    assert world.published(here) is Slot.KEY2
    assert world.published(there, other) is Slot.KEY1


@pytest.mark.parametrize("kind", [Kind.SEND, Kind.PUBLISH])
async def test_a_worker_that_stood_still_after_deciding_does_not_act_any_more(kind: Kind) -> None:
    """Its process is frozen for a minute between the decision and the request."""
    world, worker = build()
    perform = worker.rotator.effects.perform
    frozen: list[Kind] = []

    async def freezing(facts: Facts, action: Action, record: Record) -> None:
        if action.kind is kind and not frozen:
            frozen.append(kind)
            world.advance(timedelta(minutes=1))
        await perform(facts, action, record)

    worker.rotator.effects.perform = freezing  # type: ignore[method-assign]
    name = {Kind.SEND: "regenerate", Kind.PUBLISH: "publish"}[kind]
    await worker.visit()
    while not frozen:
        await worker.run(timedelta(seconds=16))
    assert world.counted[name] == 0
    record = await worker.record()
    assert record.trouble is not None
    assert record.trouble.code == "TooLate"
    assert record.intent is None
    await worker.run(timedelta(minutes=10))
    assert world.published(next(iter(world.secrets))) is Slot.KEY2
