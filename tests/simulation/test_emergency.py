"""A leaked key is revoked soon, in any phase, and the secrets get a key that works."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Phase, Purpose
from rotation.domain.record import ObservedVersion
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest

from .harness.operators import DEAD_KEY
from .harness.worker import Worker
from .harness.world import ACCOUNT, World, single_account
from .test_rotation import request

DAY = timedelta(days=1)
HEALTHY = 80 * DAY


async def test_a_leaked_live_key_is_replaced_by_the_unpublished_spare_without_a_regenerate() -> (
    None
):
    world, target, worker = single_account(lives=HEALTHY)
    leaked = world.latest(target).value
    spare = world.keys()[Slot.KEY2]
    await worker.visit()
    await worker.request(request(target, Leaked.KEY1))
    before = world.now
    await worker.run(timedelta(seconds=1))
    assert world.latest(target).value == spare, "no regenerate was needed"
    assert not world.accepts(leaked)
    assert world.now - before <= timedelta(seconds=2)
    await worker.run(timedelta(minutes=5))
    record = await worker.record()
    assert record.phase is Phase.IDLE
    assert record.history[-1].purpose is Purpose.EMERGENCY
    assert [slot for _, slot in world.regenerated] == [Slot.KEY1]


async def test_a_leaked_spare_is_revoked_and_the_secrets_stay_as_they_are() -> None:
    world, target, worker = single_account(lives=HEALTHY)
    published = world.latest(target).value
    leaked = world.keys()[Slot.KEY2]
    await worker.request(request(target, Leaked.KEY2))
    await worker.run(timedelta(minutes=5))
    assert not world.accepts(leaked)
    assert world.latest(target).value == published
    assert world.accepts(published)
    record = await worker.record()
    assert record.history[-1].proven


async def test_an_unknown_leak_regenerates_both_keys() -> None:
    world, target, worker = single_account(lives=HEALTHY)
    before = set(world.keys().values())
    await worker.request(request(target, Leaked.UNKNOWN))
    await worker.run(timedelta(minutes=10))
    assert before.isdisjoint(world.keys().values())
    assert not any(world.accepts(key) for key in before)
    assert world.accepts(world.latest(target).value)


@pytest.mark.parametrize("second", [Leaked.KEY1, Leaked.KEY2, Leaked.UNKNOWN])
@pytest.mark.parametrize("first", [Leaked.KEY1, Leaked.KEY2, Leaked.UNKNOWN])
@pytest.mark.parametrize("after", [1, 40, 400])
async def test_after_a_second_report_the_first_leaked_key_is_revoked_too(
    first: Leaked, second: Leaked, after: int
) -> None:
    """Regression: a report of one key replaced that of both, and one key stayed valid."""
    world, target, worker = single_account(lives=HEALTHY)
    await worker.visit()
    leaked = [
        world.keys()[s]
        for s in Slot
        if Leaked.UNKNOWN in (first, second) or s in (first.slot, second.slot)
    ]
    world.interceptor.rules.append(
        lambda name, count: "503" if name == "probe" and count < 6 else None
    )
    await worker.request(request(target, first))
    await worker.run(timedelta(seconds=after))
    await worker.request(request(target, second))
    await worker.run(timedelta(hours=1))
    assert not any(world.accepts(key) for key in leaked)
    assert (await worker.record()).phase is Phase.IDLE


async def test_in_the_overlap_the_leaked_old_key_is_revoked_at_once() -> None:
    world, target, worker = single_account()
    leaked = world.latest(target).value
    await worker.visit()
    await worker.run(timedelta(hours=1))
    running = (await worker.record()).operation
    assert running is not None
    answer = await worker.request(request(target, Leaked.KEY1))
    await worker.run(timedelta(minutes=5))
    assert not world.accepts(leaked)
    record = await worker.record()
    found = record.find(answer)
    assert found is not None
    assert found.id == running.id, "the emergency joins and hardens the running rotation"


async def test_in_the_overlap_the_leaked_new_key_is_replaced_and_revoked() -> None:
    world, target, worker = single_account()
    await worker.visit()
    await worker.run(timedelta(hours=1))
    leaked = world.latest(target).value
    await worker.request(request(target, Leaked.KEY2))
    await worker.run(timedelta(minutes=20))
    assert not world.accepts(leaked)
    assert world.accepts(world.latest(target).value)
    assert (await worker.record()).phase is Phase.IDLE


async def test_an_emergency_with_an_overlap_keeps_the_old_key_until_it_is_over() -> None:
    world, target, worker = single_account(lives=HEALTHY)
    leaked = world.latest(target).value
    half = timedelta(minutes=30)
    await worker.request(
        RotationRequest("a test", "somebody", target, leaked=Leaked.KEY1, overlap=half)
    )
    await worker.run(timedelta(minutes=20))
    assert world.published(target) is Slot.KEY2
    assert world.accepts(leaked)
    await worker.run(timedelta(minutes=20))
    assert not world.accepts(leaked)


async def test_pauses_windows_invalid_tags_and_intervals_do_not_delay_an_emergency() -> None:
    for tag, value in (
        ("RotationPaused", "true"),
        ("RotationWindow", "Sat 01:00-02:00"),
        ("RotationMinimumInterval", "P30D"),
        ("ValidityPeriodDays", "nonsense"),
    ):
        world = World()
        world.add_account()
        target = world.add_secret(lives=HEALTHY, with_tags={tag: value})
        leaked = world.latest(target).value
        worker = Worker(world)
        await worker.request(request(target, Leaked.KEY1))
        await worker.run(timedelta(minutes=20))
        assert not world.accepts(leaked), tag


async def test_a_repeated_request_with_the_same_key_is_the_same_operation() -> None:
    world, target, worker = single_account(lives=HEALTHY)
    first = await worker.request(request(target, Leaked.KEY1, key="k"))
    again = await worker.request(request(target, Leaked.KEY1, key="k"))
    await worker.run(timedelta(minutes=20))
    later = await worker.request(request(target, Leaked.KEY1, key="k"))
    assert first == again == later
    assert len(world.regenerated) == 1


async def test_an_emergency_supersedes_a_blocked_operation() -> None:
    world, target, worker = single_account(World(new_key_delay=3 * DAY))
    leaked = world.latest(target).value
    await worker.visit()
    await worker.run(timedelta(hours=3))
    assert (await worker.record()).blocked is not None
    world.advance(3 * DAY)
    world.state().new_key_delay = timedelta()
    await worker.request(request(target, Leaked.KEY1))
    await worker.run(timedelta(hours=1))
    assert not world.accepts(leaked)
    assert world.accepts(world.latest(target).value)


async def test_a_leak_is_revoked_although_a_secret_was_overwritten_by_hand() -> None:
    """Regression: the emergency and the repair superseded each other without end."""
    world, target, worker = single_account(lives=HEALTHY)
    await worker.visit()
    world.write_version(target, DEAD_KEY)
    await worker.request(request(target, Leaked.KEY1))
    leaked = world.keys()[Slot.KEY1]
    await worker.run(timedelta(minutes=5))
    assert not world.accepts(leaked)
    assert world.published(target) is Slot.KEY2
    assert (await worker.record()).phase is Phase.IDLE


async def test_an_unknown_leak_is_revoked_although_a_disabled_secret_publishes_the_other_slot() -> (
    None
):
    """Regression: it waited for the secrets to agree, which they never did."""
    world = World()
    world.add_account()
    world.add_secret("one", Slot.KEY1, lives=HEALTHY)
    other = world.add_secret("two", Slot.KEY1, lives=HEALTHY)
    before = set(world.keys().values())
    worker = Worker(world)
    await worker.visit()
    world.write_version(other, world.keys()[Slot.KEY2])
    await worker.reconciler.gatherer.reader.inventory.listings(refresh=True)
    record, tag = await worker.journal.load(ACCOUNT)
    seen = ObservedVersion(
        world.latest(other).id, Key(world.latest(other).value).fingerprint(record.salt)
    )
    await worker.journal.save(replace(record, seen={**record.seen, str(other): seen}), tag)
    world.update(other, enabled=False)
    await worker.request(request(other, Leaked.UNKNOWN))
    await worker.run(timedelta(minutes=30))
    assert before.isdisjoint(world.keys().values())
    assert (await worker.record()).phase is Phase.IDLE


async def test_a_disabled_secret_that_only_a_listing_shows_is_published_too() -> None:
    """Regression: it was found before the revocation and forgotten before the publish."""
    world = World()
    world.add_account()
    world.add_secret("one")
    hidden = world.add_secret("two")
    worker = Worker(world)
    await worker.visit()
    await worker.run(timedelta(hours=1))
    world.update(hidden, enabled=False)
    record, tag = await worker.journal.load(ACCOUNT)
    without = {name: seen for name, seen in record.seen.items() if not name.endswith("two")}
    await worker.journal.save(replace(record, seen=without), tag)
    await worker.run(timedelta(days=3))
    assert (await worker.record()).phase is Phase.IDLE
    assert world.published(hidden) is Slot.KEY2
