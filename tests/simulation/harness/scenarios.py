"""Operations on one account, with faults injected into any of the calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from rotation.domain.errors import RotationError
from rotation.domain.keys import Slot
from rotation.domain.policy import Policy
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest

from .convergence import (
    check_events,
    check_poison_queue,
    check_published,
    check_stable,
    count_changes,
    describe_phases,
    is_settled,
)
from .faults import LATE, possible_faults
from .interceptor import Crash
from .invariants import Invariant, Violation
from .worker import Worker
from .world import VAULT, World

OVERLAP = timedelta(hours=2)
HEALTHY = timedelta(days=80)
TIME_LIMIT = timedelta(days=3)
POLICY = Policy(overlap=OVERLAP, spread=timedelta())
SINGLE_PROBE = Policy(overlap=OVERLAP, spread=timedelta(), probe_successes=1)
VAULTS = (VAULT, "https://kv-b.vault.azure.net")


@dataclass(frozen=True)
class Scenario:
    """``set_up`` fills the world; ``trigger`` starts the operation."""

    name: str
    set_up: Callable[[World, int], None]
    trigger: Callable[[World, Worker], Awaitable[None]]


def due(world: World, targets: int) -> None:
    """Enrol several secrets, of which one is due."""
    _enrol(world, targets, timedelta(days=20))


def healthy(world: World, targets: int) -> None:
    """Enrol several secrets that are not due."""
    _enrol(world, targets, HEALTHY)


def broken(world: World, targets: int) -> None:
    """Regenerate the published key by hand."""
    healthy(world, targets)
    world.regenerate(Slot.KEY1)


def _enrol(world: World, targets: int, first_lives: timedelta) -> None:
    world.add_account()
    for number in range(targets):
        lives = HEALTHY if number else first_lives
        world.add_secret(f"key-{number}", vault=VAULTS[number % 2], lives=lives)


async def visit(world: World, worker: Worker) -> None:
    await worker.visit()


def report_leak(leaked: Leaked) -> Callable[[World, Worker], Awaitable[None]]:
    async def trigger(world: World, worker: Worker) -> None:
        request = RotationRequest(
            "a leak", "somebody", world.enrolled()[0], leaked=leaked, idempotency_key="the-leak"
        )
        await worker.request(request)

    return trigger


SCENARIOS = (
    Scenario("rotation", due, visit),
    Scenario("emergency", healthy, report_leak(Leaked.KEY1)),
    Scenario("emergency, both leaked", healthy, report_leak(Leaked.UNKNOWN)),
    Scenario("emergency, spare leaked", healthy, report_leak(Leaked.KEY2)),
    Scenario("repair", broken, visit),
)
ROTATION = SCENARIOS[0]


async def run_scenario(
    scenario: Scenario,
    faults: Mapping[int, str],
    *,
    level: str = "port",
    targets: int = 1,
    policy: Policy = POLICY,
    at_rest: bool = True,
) -> World:
    """Run a scenario to its end, with a fault at each of these calls.

    With ``at_rest``, also check that nothing changes afterwards. Raises Violation.
    """
    world = World(level=level, overlap=OVERLAP)
    scenario.set_up(world, targets)
    world.observations.forget_setup()
    world.observations.daily_cap = policy.daily_cap
    world.interceptor.planned_faults = dict(faults)
    try:
        worker = await _run_until_settled(scenario, world, policy)
        if at_rest:
            await _check_at_rest(world, worker)
        _check_end(scenario, world, len(faults))
    except Violation as violation:
        violation.add_note("\n".join(world.interceptor.trace))
        raise
    return world


async def _run_until_settled(scenario: Scenario, world: World, policy: Policy) -> Worker:
    """The queue continues the operation; visits, as by the timer, find what was lost."""
    worker, triggered, end = Worker(world, policy), False, world.now + TIME_LIMIT
    while not (triggered and is_settled(world)):
        message = f"after {TIME_LIMIT} it is still {describe_phases(world)}"
        world.invariants.require(Invariant.CONVERGES, world.now <= end, message)
        try:
            if triggered:
                await worker.visit()
            else:
                await scenario.trigger(world, worker)
                triggered = True
            await worker.run(timedelta(hours=3))
        except RotationError:
            world.advance(timedelta(seconds=30))
        except Crash:
            world.advance(timedelta(minutes=1))
            world.interceptor.note("the worker crashed; another one starts")
            worker = Worker(world, policy)
    return worker


async def _check_at_rest(world: World, worker: Worker) -> None:
    """Nothing changes any more, once delayed requests have been carried out."""
    world.interceptor.planned_faults = {}
    world.advance(LATE)
    before = count_changes(world)
    await worker.visit()
    await worker.run(timedelta(hours=12))
    check_stable(world, before)


def _check_end(scenario: Scenario, world: World, faults: int) -> None:
    check_published(world)
    check_poison_queue(world)
    check_events(world)
    count = len(world.regenerated)
    world.invariants.require(Invariant.FEW_REGENERATES, count <= 2 + faults, f"{count} regenerates")
    world.checker.check_leaks()
    if scenario is ROTATION:
        revoked = Slot.KEY1 in {slot for _, slot in world.regenerated}
        message = "the old key was never revoked"
        world.invariants.require(Invariant.OLD_KEY_REVOKED, revoked, message)


async def single_faults(
    scenario: Scenario, level: str, targets: int, *, policy: Policy = POLICY, classes: bool = False
) -> Iterator[tuple[int, str]]:
    """Return each possible fault at each call that the scenario makes without faults."""
    world = await run_scenario(scenario, {}, level=level, targets=targets, policy=policy)
    return (
        (number, fault)
        for number, call in enumerate(world.interceptor.calls)
        for fault in possible_faults(call, classes=classes)
    )
