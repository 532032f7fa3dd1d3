"""Scheduled rotations of one account, in virtual time."""

from __future__ import annotations

from datetime import timedelta

from rotation.decisions.actions import ActionKind
from rotation.domain.ids import TargetId
from rotation.domain.keys import Slot
from rotation.domain.operation import Phase
from rotation.domain.policy import Policy, ProbePolicy
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest

from .harness.worker import Worker
from .harness.world import START, World, single_account

DAY = timedelta(days=1)


def request(
    target: TargetId, leaked: Leaked = Leaked.NONE, key: str | None = None
) -> RotationRequest:
    return RotationRequest("a test", "somebody", target, leaked=leaked, idempotency_key=key)


async def test_a_due_secret_gets_a_verified_key_and_the_old_key_is_revoked_after_the_overlap() -> (
    None
):
    world, target, worker = single_account(lives=20 * DAY)
    first = world.latest(target).value

    await worker.visit()
    await worker.run(timedelta(hours=1))
    assert world.published(target) is Slot.KEY2
    assert world.accepts(first), "both keys work in the overlap"
    assert (await worker.record()).phase is Phase.OVERLAP

    await worker.run(2 * DAY)
    record = await worker.record()
    assert record.phase is Phase.IDLE
    assert not world.accepts(first)
    assert [slot for _, slot in world.regenerated] == [Slot.KEY2, Slot.KEY1]
    revoked_at = world.regenerated[1][0]
    assert revoked_at >= world.latest(target).created + timedelta(hours=26)
    assert [version.enabled for version in world.versions(target)] == [False, True]
    assert record.history[-1].proven
    assert [event["type"] for event in world.sent] == [
        "KeyRotation.Admitted",
        "KeyRotation.Rotated",
        "KeyRotation.Revoked",
        "KeyRotation.Ended",
    ]


async def test_a_secret_that_is_not_due_is_left_alone_and_the_outcome_has_the_due_date() -> None:
    world = World()
    world.add_account()
    world.add_secret(lives=80 * DAY)
    worker = Worker(world)
    await worker.visit()
    world.interceptor.calls.clear()
    outcome = await worker.visit()
    assert outcome.kind is ActionKind.IDLE
    assert outcome.until is not None
    assert START + 48 * DAY < outcome.until <= START + 50 * DAY
    assert "journal.write" not in world.interceptor.calls
    assert world.regenerated == []


async def test_the_next_rotation_uses_the_other_slot() -> None:
    world, target, worker = single_account()
    for expected in (Slot.KEY2, Slot.KEY1, Slot.KEY2):
        await worker.visit()
        await worker.run(3 * DAY)
        assert world.published(target) is expected
        world.advance(70 * DAY)
    assert len(world.regenerated) == 6


async def test_secrets_in_several_vaults_are_rotated_together() -> None:
    world = World()
    world.add_account()
    vaults = ("https://kv-a.vault.azure.net", "https://kv-b.vault.azure.net")
    targets = [
        world.add_secret("one", lives=20 * DAY, vault=vaults[0]),
        world.add_secret("two", lives=80 * DAY, vault=vaults[1]),
    ]
    worker = Worker(world)
    await worker.visit()
    await worker.run(3 * DAY)
    assert {world.published(target) for target in targets} == {Slot.KEY2}
    assert len({world.latest(target).exp for target in targets}) == 1
    assert len(world.regenerated) == 2


async def test_a_new_version_keeps_other_tags_and_the_content_type_and_has_a_new_expiry() -> None:
    world, target, worker = single_account(with_tags={"team": "blue"})
    world.latest(target).content_type = "text/plain"
    await worker.visit()
    await worker.run(timedelta(hours=1))
    latest = world.latest(target)
    record = await worker.record()
    assert record.operation is not None
    assert latest.tags is not None
    assert latest.tags["team"] == "blue"
    assert latest.tags["CredentialId"] == "Key2"
    assert latest.tags["RotationId"] == record.operation.id
    assert latest.content_type == "text/plain"
    assert latest.exp is not None
    assert latest.exp - latest.created.timestamp() > 89 * 86400


async def test_a_new_key_that_works_late_is_awaited_and_not_regenerated_again() -> None:
    world, target, worker = single_account(World(new_key_delay=timedelta(minutes=7)))
    await worker.visit()
    await worker.run(timedelta(minutes=5))
    assert world.published(target) is Slot.KEY1
    await worker.run(timedelta(hours=1))
    assert world.published(target) is Slot.KEY2
    assert len(world.regenerated) == 1


async def test_a_new_key_that_never_works_blocks_the_rotation_and_leaves_both_keys() -> None:
    world, target, worker = single_account(World(new_key_delay=3 * DAY))
    await worker.visit()
    await worker.run(timedelta(hours=3))
    record = await worker.record()
    assert record.blocked is not None
    assert record.blocked.code == "new-key-not-proven"
    assert world.published(target) is Slot.KEY1
    assert world.accepts(world.latest(target).value)
    assert len(world.regenerated) == 1


async def test_a_rotation_does_not_end_while_the_old_key_is_still_valid() -> None:
    world, target, worker = single_account(World(old_key_lag=timedelta(hours=3)))
    await worker.visit()
    await worker.run(timedelta(hours=28))
    assert (await worker.record()).phase is Phase.PROVE
    await worker.run(timedelta(hours=4))
    assert (await worker.record()).phase is Phase.IDLE
    assert [version.enabled for version in world.versions(target)] == [False, True]
    assert len(world.regenerated) == 2


async def test_a_data_plane_that_accepts_any_key_blocks_the_rotation() -> None:
    world = World(accepts_any_key=True)
    world.add_account()
    world.add_secret()
    worker = Worker(world)
    outcome = await worker.visit()
    assert outcome.kind is ActionKind.BLOCKED
    assert "random key" in outcome.reason
    assert world.regenerated == []


async def test_an_unreachable_data_plane_blocks_the_rotation_before_the_first_regenerate() -> None:
    world = World(public_network=False)
    world.add_account()
    world.add_secret()
    worker = Worker(world)
    outcome = await worker.visit()
    assert outcome.kind is ActionKind.BLOCKED
    assert "ROTATION_PROBE=accept" in outcome.reason
    assert world.regenerated == []


async def test_with_the_accept_policy_a_key_is_published_without_the_data_plane() -> None:
    world = World(public_network=False)
    world.add_account()
    target = world.add_secret()
    world.publishes_unproven = True
    worker = Worker(world, Policy(probe=ProbePolicy.ACCEPT, spread=timedelta()))
    await worker.visit()
    await worker.run(3 * DAY)
    assert world.published(target) is Slot.KEY2
    done = (await worker.record()).history[-1]
    assert done.proof is not None
    assert not done.proven


async def test_a_pause_a_window_and_a_minimum_interval_postpone_a_due_rotation() -> None:
    for tag, value, says in (
        ("RotationPaused", "true", "paused"),
        ("RotationWindow", "Sat 01:00-02:00", "window"),
        ("RotationMinimumInterval", "P30D", "minimum interval"),
    ):
        world = World()
        world.add_account()
        ours = {"RotationId": "earlier", "ValidityPeriodDays": "30"} if "Interval" in tag else {}
        world.add_secret(lives=20 * DAY, with_tags={tag: value} | ours)
        world.advance(21 * DAY if ours else timedelta())
        worker = Worker(world)
        outcome = await worker.visit()
        assert says in outcome.reason
        assert world.regenerated == []


async def test_a_secret_that_expires_before_the_next_window_is_rotated_now() -> None:
    world = World()
    world.add_account()
    world.add_secret(lives=2 * DAY, with_tags={"RotationWindow": "Sat 01:00-02:00"})
    worker = Worker(world)
    await worker.visit()
    assert len(world.regenerated) == 1


async def test_a_validity_under_14_days_counts_as_14_and_is_shown() -> None:
    world = World()
    world.add_account()
    world.add_secret(lives=80 * DAY, with_tags={"ValidityPeriodDays": "1"})
    worker = Worker(world)
    await worker.visit()
    assert world.regenerated == []
    assert "ValidityPeriodDays of 1 day counts as 14 days" in str((await worker.record()).notes)


async def test_the_daily_cap_limits_regenerates() -> None:
    world = World(overlap=timedelta(hours=1))
    world.add_account()
    target = world.add_secret()
    worker = Worker(world, Policy(daily_cap=2, overlap=timedelta(hours=1), spread=timedelta()))
    for number in range(4):
        await worker.request(request(target, key=str(number)))
        await worker.run(timedelta(hours=1))
    assert len(world.regenerated) == 2


async def test_an_account_without_secrets_is_left_alone() -> None:
    world = World()
    world.add_account()
    outcome = await Worker(world).visit()
    assert outcome.kind is ActionKind.IDLE
    assert world.regenerated == []


async def test_disabled_key_authentication_and_provisioning_are_reported_by_their_code() -> None:
    for more, code in (
        ({"disable_local_auth": True}, "LocalAuthDisabled"),
        ({"provisioning_state": "Accepted"}, "AccountProvisioningStateInvalid"),
    ):
        world = World()
        world.add_account(**more)
        world.add_secret()
        outcome = await Worker(world).visit()
        assert outcome.failure is not None
        assert outcome.failure.code == code
        assert world.regenerated == []
