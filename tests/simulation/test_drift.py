"""Changes by hand are repaired without a regenerate."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from rotation.decisions.actions import ActionKind
from rotation.domain.keys import Slot
from rotation.domain.operation import Phase
from rotation.domain.request import Leaked

from .harness.operators import DEAD_KEY
from .harness.worker import Worker
from .harness.world import World, single_account
from .test_rotation import request

DAY = timedelta(days=1)
HEALTHY = 80 * DAY


async def test_a_live_key_regenerated_by_hand_is_published_at_once() -> None:
    world, target, worker = single_account(lives=HEALTHY)
    await worker.visit()
    world.regenerate(Slot.KEY1)
    assert world.published(target) is None
    await worker.visit()
    assert world.published(target) is Slot.KEY1
    assert world.regenerated == []
    assert "KeyRotation.Repaired" in [event["type"] for event in world.sent]


async def test_a_hand_made_version_with_a_live_key_is_adopted() -> None:
    world, target, worker = single_account(lives=HEALTHY)
    await worker.visit()
    world.write_version(target, world.keys()[Slot.KEY2])
    outcome = await worker.visit()
    assert outcome.kind is ActionKind.IDLE
    assert world.published(target) is Slot.KEY2
    assert len(world.versions(target)) == 2


async def test_after_an_adopted_version_the_other_slot_gets_a_full_overlap() -> None:
    world, target, worker = single_account(lives=5 * DAY)
    world.advance(3 * DAY)
    world.write_version(target, world.keys()[Slot.KEY2])
    outcome = await worker.visit()
    assert outcome.kind is ActionKind.WAIT
    assert "overlap is not over" in outcome.reason
    assert world.regenerated == []
    await worker.run(2 * DAY)
    assert world.regenerated[0][1] is Slot.KEY1


async def test_a_disabled_secret_never_gets_two_versions_in_one_second() -> None:
    """Regression: a listing does not show the order of versions of one second."""
    for seed in range(8):
        world, target, worker = single_account(World(seed=seed), lives=HEALTHY)
        await worker.visit()
        world.update(target, enabled=False)
        world.regenerate(Slot.KEY1)
        world.add_secret("other", Slot.KEY2, lives=HEALTHY)
        await worker.request(request(target, Leaked.KEY1))
        await worker.run(timedelta(minutes=30))
        made = [version.created for version in world.versions(target)]
        assert min(after - before for before, after in pairwise(made)) >= timedelta(seconds=1)
        assert (await worker.record()).blocked is None


async def test_a_spare_key_that_was_published_by_hand_for_a_while_gets_a_full_overlap() -> None:
    """Regression: it was revoked early, because the journal recorded it as never published."""
    world, target, worker = single_account(lives=HEALTHY)
    await worker.request(request(target, Leaked.KEY2))
    await worker.run(timedelta(minutes=5))
    other = world.add_secret("other", lives=HEALTHY)
    await worker.visit()
    world.write_version(other, world.keys()[Slot.KEY2])
    world.advance(timedelta(minutes=7))
    await worker.visit()
    assert world.published(other) is Slot.KEY1
    spare, regenerated = world.keys()[Slot.KEY2], len(world.regenerated)
    await worker.request(request(target))
    await worker.run(timedelta(hours=25))
    assert world.accepts(spare), "a consumer may have read it"
    await worker.run(timedelta(hours=3))
    assert len(world.regenerated) > regenerated


async def test_a_single_404_does_not_end_an_operation(level: str) -> None:
    """Regression: it ended an emergency, because the secret counted as deleted."""
    world, target, worker = single_account(World(level=level), lives=HEALTHY)
    await worker.visit()
    leaked = world.latest(target).value
    reads = world.interceptor.call_counts["keyvault.get_secret"]
    await worker.request(request(target, Leaked.KEY1))
    world.interceptor.rules.append(
        lambda name, count: "404" if (name, count) == ("keyvault.get_secret", reads + 1) else None
    )
    await worker.run(timedelta(minutes=5))
    assert not world.accepts(leaked)
    assert world.accepts(world.latest(target).value)


async def test_a_dead_key_is_replaced_by_a_key_that_works() -> None:
    world, target, worker = single_account(lives=HEALTHY)
    await worker.visit()
    world.write_version(target, DEAD_KEY)
    await worker.visit()
    assert world.published(target) is not None
    assert world.regenerated == []


async def test_secrets_on_different_slots_converge_on_the_slot_that_we_published_last() -> None:
    world = World()
    world.add_account()
    targets = [world.add_secret(name, lives=HEALTHY) for name in ("one", "two", "three")]
    worker = Worker(world)
    await worker.visit()
    assert (await worker.record()).published, "all agree: that is what they published"
    for target in targets[1:]:
        world.write_version(target, world.keys()[Slot.KEY2])
    await worker.visit()
    assert {world.published(target) for target in targets} == {Slot.KEY1}
    assert world.regenerated == []


async def test_a_hand_made_version_with_the_other_key_is_adopted_if_every_secret_shows_it() -> None:
    world = World()
    world.add_account()
    targets = [world.add_secret(name, lives=HEALTHY) for name in ("one", "two")]
    worker = Worker(world)
    await worker.visit()
    for target in targets:
        world.write_version(target, world.keys()[Slot.KEY2])
    await worker.visit()
    assert {world.published(target) for target in targets} == {Slot.KEY2}
    assert all(len(world.versions(target)) == 2 for target in targets)


async def test_a_version_overwritten_in_the_overlap_is_restored_and_the_overlap_restarts() -> None:
    world, target, worker = single_account()
    first = world.latest(target).value
    await worker.visit()
    await worker.run(timedelta(hours=20))
    world.write_version(target, first)
    await worker.visit()
    assert world.published(target) is Slot.KEY2
    await worker.run(timedelta(hours=20))
    assert world.accepts(first), "the overlap restarted"
    await worker.run(timedelta(hours=10))
    assert not world.accepts(first)


async def test_another_writer_that_keeps_overwriting_is_waited_for() -> None:
    world, target, worker = single_account()
    first = world.latest(target).value
    await worker.visit()
    await worker.run(timedelta(minutes=5))
    for _ in range(6):
        world.advance(timedelta(minutes=10))
        world.write_version(target, first)
        outcome = await worker.visit()
    assert outcome.kind is ActionKind.WAIT
    assert "overwritten repeatedly" in outcome.reason
    assert world.accepts(first)


async def test_a_published_key_regenerated_by_hand_in_the_overlap_is_published_again() -> None:
    world, target, worker = single_account()
    await worker.visit()
    await worker.run(timedelta(hours=5))
    world.regenerate(Slot.KEY2)
    await worker.visit()
    assert world.published(target) is Slot.KEY2
    await worker.run(3 * DAY)
    assert (await worker.record()).phase is Phase.IDLE
    assert [slot for _, slot in world.regenerated] == [Slot.KEY2, Slot.KEY1]


async def test_a_disabled_secret_blocks_the_rotation_because_its_key_cannot_be_read() -> None:
    world = World()
    world.add_account()
    world.add_secret("one")
    disabled = world.add_secret("two")
    world.update(disabled, enabled=False)
    worker = Worker(world)
    outcome = await worker.visit()
    assert outcome.kind is ActionKind.BLOCKED
    assert "disabled" in outcome.reason
    assert world.regenerated == []


async def test_a_secret_disabled_during_the_rotation_gets_the_new_key_and_stays_disabled() -> None:
    world = World()
    world.add_account()
    world.add_secret("one")
    target = world.add_secret("two")
    worker = Worker(world)
    await worker.visit()
    world.update(target, enabled=False)
    await worker.run(3 * DAY)
    assert (await worker.record()).phase is Phase.IDLE
    assert world.published(target) is Slot.KEY2
    assert not world.latest(target).enabled


async def test_a_secret_deleted_during_the_rotation_is_ignored() -> None:
    world, target, worker = single_account(name="one")
    gone = world.add_secret("two")
    await worker.visit()
    world.delete(gone)
    await worker.run(3 * DAY)
    assert (await worker.record()).phase is Phase.IDLE
    assert world.published(target) is Slot.KEY2


async def test_a_secret_enrolled_during_the_rotation_gets_the_new_key_before_the_revocation() -> (
    None
):
    world = World()
    world.add_account()
    world.add_secret("one")
    worker = Worker(world)
    await worker.visit()
    await worker.run(timedelta(hours=25))
    late = world.add_secret("two", Slot.KEY1)
    await worker.run(timedelta(hours=4))
    assert world.published(late) is Slot.KEY2
    assert len(world.regenerated) == 1
    await worker.run(3 * DAY)
    assert len(world.regenerated) == 2


async def test_if_the_journal_is_lost_in_the_overlap_the_rotation_ends_two_days_later() -> None:
    """Until then untagged secrets are looked for: one of them could show the old key."""
    world, target, worker = single_account()
    first = world.latest(target).value
    await worker.visit()
    await worker.run(timedelta(hours=2))
    world.lose_journal()
    await worker.visit()
    await worker.run(timedelta(hours=47))
    assert world.accepts(first)
    await worker.run(timedelta(hours=2))
    assert not world.accepts(first)
    assert world.published(target) is Slot.KEY2
    assert (await worker.record()).phase is Phase.IDLE
