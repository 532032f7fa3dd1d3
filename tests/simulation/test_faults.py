"""Each scenario ends correctly in spite of any fault at any call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulator.core.faults import Fault
from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.facts import Facts
from rotation.domain.ids import AccountId
from rotation.domain.keys import Slot
from rotation.domain.record import Record

from .harness.faults import possible_faults
from .harness.interceptor import FaultRule
from .harness.scenarios import (
    POLICY,
    ROTATION,
    SCENARIOS,
    SINGLE_PROBE,
    Scenario,
    run_scenario,
    single_faults,
)
from .harness.worker import Worker
from .harness.world import World, single_account


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_scenario_survives_every_single_fault_at_the_port_level(scenario: Scenario) -> None:
    tried = 0
    for call, fault in await single_faults(scenario, "port", 1):
        await run_scenario(scenario, {call: fault})
        tried += 1
    assert tried > 350


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_scenario_with_two_secrets_survives_single_faults(scenario: Scenario) -> None:
    """One fault of each class that the service can tell apart; `make simulate` runs all."""
    for call, fault in await single_faults(scenario, "port", 2, classes=True):
        await run_scenario(scenario, {call: fault}, targets=2)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_scenario_survives_single_faults_at_the_wire_level(scenario: Scenario) -> None:
    """Every seventeenth fault; `make simulate` runs all."""
    for call, fault in list(await single_faults(scenario, "wire", 1))[::17]:
        await run_scenario(scenario, {call: fault}, level="wire")


async def test_a_rotation_survives_pairs_of_faults() -> None:
    """A sample of the pairs; `make simulate PAIRS=1` runs all."""
    first = list(await single_faults(ROTATION, "port", 1, policy=SINGLE_PROBE, classes=True))
    for number, (call, fault) in enumerate(first[::5]):
        calls = (await run_scenario(ROTATION, {call: fault}, policy=SINGLE_PROBE)).interceptor.calls
        later = [(at, f) for at in range(call + 1, len(calls)) for f in possible_faults(calls[at])]
        for at, second in later[number % 97 :: 97]:
            await run_scenario(ROTATION, {call: fault, at: second}, policy=SINGLE_PROBE)


def at(call: str, number: int, fault: str) -> FaultRule:
    """Return a rule for one call, by its name and number."""
    return lambda name, count: fault if (name, count) == (call, number) else None


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_two_regenerates_at_the_same_time_have_an_intent_each(scenario: Scenario) -> None:
    """Regression: their intents had the same name in the journal."""
    await run_scenario(scenario, {}, policy=SINGLE_PROBE)


async def test_a_delayed_regenerate_never_revokes_the_published_key(level: str) -> None:
    """The request is lost and sent again; the first one is carried out four minutes later."""
    world, target, worker = single_account(World(level=level))
    world.interceptor.rules.append(at("arm.regenerate_key", 0, "late"))
    await worker.visit()
    await worker.run(timedelta(minutes=5))
    assert world.published(target) is Slot.KEY1, "in quarantine"
    await worker.run(timedelta(minutes=20))
    assert world.published(target) is Slot.KEY2
    assert world.accepts(world.latest(target).value)
    assert [slot for _, slot in world.regenerated] == [Slot.KEY2, Slot.KEY2]


async def test_a_vault_that_refuses_access_delays_only_its_own_secrets(level: str) -> None:
    world, here, worker = single_account(World(level=level), name="one")
    other = AccountId("sub-1", "rg-keys", "other")
    world.add_account(other)
    there = world.add_secret("two", vault="https://kv-b.vault.azure.net", account=other)
    world.azure.vault(there.vault).open = False
    worker = Worker(world)
    await worker.triggers.sweep()
    await worker.run(timedelta(hours=1))
    assert world.published(here) is Slot.KEY2
    assert world.published(there, other) is Slot.KEY1


@pytest.mark.parametrize("kind", [ActionKind.SEND, ActionKind.PUBLISH])
async def test_a_worker_that_was_frozen_after_its_decision_does_not_act_on_it(
    kind: ActionKind,
) -> None:
    """Its process is frozen for a minute between the decision and the request."""
    world, target, worker = single_account()
    perform = worker.reconciler.effects.perform
    frozen: list[ActionKind] = []

    async def freezing(facts: Facts, action: Action, record: Record) -> None:
        if action.kind is kind and not frozen:
            frozen.append(kind)
            world.advance(timedelta(minutes=1))
        await perform(facts, action, record)

    worker.reconciler.effects.perform = freezing  # type: ignore[method-assign]
    call = {ActionKind.SEND: "arm.regenerate_key", ActionKind.PUBLISH: "keyvault.set_secret"}[kind]
    await worker.visit()
    while not frozen:
        await worker.run(timedelta(seconds=16))
    assert world.interceptor.call_counts[call] == 0
    record = await worker.record()
    assert record.last_failure is not None
    assert record.last_failure.code == "TooLate"
    assert record.intent is None
    await worker.run(timedelta(minutes=10))
    assert world.published(target) is Slot.KEY2


CHALLENGE = (
    'Bearer authorization="https://login.microsoftonline.com/t", error="insufficient_claims", '
    'claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ=="'
)


@pytest.mark.parametrize("operation", ["arm.*", "keyvault.set_secret", "eventgrid.*"])
async def test_a_token_that_is_revoked_is_replaced_by_the_sdk(operation: str) -> None:
    """Continuous access evaluation: any call may be answered with a claims challenge."""
    for skip in range(8):
        world, target, worker = single_account(World(level="wire"))
        headers = {"WWW-Authenticate": CHALLENGE}
        world.azure.faults.add(
            Fault("answer", operation, status=401, headers=headers, skip=skip, method="P*")
        )
        await worker.visit()
        await worker.run(timedelta(days=3))
        assert world.published(target) is Slot.KEY2
        assert len(world.regenerated) == 2, "a call that was refused has not happened"


async def test_a_response_read_late_by_a_frozen_worker_delays_the_rotation_by_seconds_only() -> (
    None
):
    """Its date is old by then, so that the clock seems wrong until the next response."""
    world, target, worker = single_account()
    world.interceptor.rules.append(at("arm.list_keys", 0, "freeze done"))
    await worker.visit()
    await worker.run(timedelta(minutes=4))
    assert world.published(target) is Slot.KEY2
    assert POLICY.max_skew < timedelta(seconds=90)
