"""What an account goes through while single faults, or pairs of them, hit any of its calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from rotation.domain.errors import RotationError
from rotation.domain.model import Slot
from rotation.domain.policy import Policy
from rotation.domain.record import Leaked, Phase
from rotation.service.requests import RotationRequest

from .checker import Violation
from .faults import LATE, possible
from .interceptor import Crash
from .worker import Worker
from .world import VAULT, World

OVERLAP = timedelta(hours=2)
HEALTHY = timedelta(days=80)
LIMIT = timedelta(days=3)
POLICY = Policy(overlap=OVERLAP, lead=timedelta(days=30))
SINGLE_PROBE = Policy(overlap=OVERLAP, lead=timedelta(days=30), probe_successes=1)
VAULTS = (VAULT, "https://kv-b.vault.azure.net")


@dataclass(frozen=True)
class Scenario:
    """``begin`` makes the world; ``ask`` is what somebody wants of a worker."""

    name: str
    set_up: Callable[[World, int], None]
    trigger: Callable[[World, Worker], Awaitable[None]]


def due(world: World, targets: int) -> None:
    """One secret is due, the others are not."""
    _enrol(world, targets, timedelta(days=20))


def healthy(world: World, targets: int) -> None:
    _enrol(world, targets, HEALTHY)


def broken(world: World, targets: int) -> None:
    """Somebody regenerates the published key."""
    healthy(world, targets)
    world.regenerate(Slot.KEY1)


def _enrol(world: World, targets: int, lives: timedelta) -> None:
    world.add_account()
    for number in range(targets):
        vault = VAULTS[number % 2]
        world.add_secret(f"key-{number}", vault=vault, lives=HEALTHY if number else lives)


async def nothing(world: World, worker: Worker) -> None:
    await worker.visit()


def leak(leaked: Leaked) -> Callable[[World, Worker], Awaitable[None]]:
    async def ask(world: World, worker: Worker) -> None:
        request = RotationRequest(
            "a leak", "somebody", world.enrolled()[0], leaked=leaked, idempotency_key="the-leak"
        )
        await worker.request(request)

    return ask


SCENARIOS = (
    Scenario("rotation", due, nothing),
    Scenario("emergency", healthy, leak(Leaked.KEY1)),
    Scenario("emergency, both leaked", healthy, leak(Leaked.UNKNOWN)),
    Scenario("emergency, spare leaked", healthy, leak(Leaked.KEY2)),
    Scenario("repair", broken, nothing),
)
ROTATION = SCENARIOS[0]


async def run_scenario(
    scenario: Scenario,
    faults: Mapping[int, str],
    *,
    level: str = "port",
    targets: int = 1,
    policy: Policy = POLICY,
    rest: bool = True,
) -> World:
    """Play it to the end with a fault at each of these calls; with ``rest``, and a day longer.

    Raises Violation.
    """
    world = World(level=level, overlap=OVERLAP)
    scenario.set_up(world, targets)
    world.checker.reset()
    world.interceptor.planned_faults = dict(faults)
    try:
        worker = await _drive(scenario, world, policy)
        if rest:
            await _check_rest(world, worker)
        _check_end(scenario, world, len(faults))
    except Violation as violation:
        violation.add_note("\n".join(world.interceptor.trace))
        raise
    return world


async def _drive(scenario: Scenario, world: World, policy: Policy) -> Worker:
    """The queue continues it; a visit by the timer is the backstop for what was lost."""
    worker, asked, end = Worker(world, policy), False, world.now + LIMIT
    while True:
        try:
            if not asked:
                await scenario.trigger(world, worker)
                asked = True
            else:
                await worker.visit()
            await worker.run(timedelta(hours=3))
        except RotationError:
            world.advance(timedelta(seconds=30))
        except Crash:
            world.advance(timedelta(minutes=1))
            world.interceptor.note("the worker crashed; another one starts")
            worker = Worker(world, policy)
        if asked and is_settled(world):
            return worker
        if world.now > end:
            raise Violation(f"after {LIMIT} it is still {describe_phases(world)}")


def is_settled(world: World) -> bool:
    """Nothing is under way, wished for, or to be told, in any account."""
    records = [world.record(account) for account in world.ids]
    return all(
        r.phase is Phase.IDLE
        and not (r.requests or r.outbox or r.intent or r.blocked)
        and bool(r.history)
        for r in records
    )


def describe_phases(world: World) -> str:
    records = [world.record(account) for account in world.ids]
    return "; ".join(f"{r.phase}: {r.waiting or r.blocked}" for r in records)


async def _check_rest(world: World, worker: Worker) -> None:
    """Then nothing changes any more, once what was late has come in."""
    world.interceptor.planned_faults = {}
    world.advance(LATE)
    before = count_changes(world)
    await worker.visit()
    await worker.run(timedelta(hours=12))
    if count_changes(world) != before:
        raise Violation("it is done, and still something changes")


def count_changes(world: World) -> tuple[int, ...]:
    """How often anything irreversible happened."""
    regenerated = sum(len(ledger.regenerated) for ledger in world.checker.ledgers.values())
    return (regenerated, *(len(versions) for versions in world.secrets().values()))


def _check_end(scenario: Scenario, world: World, faults: int) -> None:
    check_published(world)
    if world.storage.poison:
        raise Violation("a message is in the poison queue")
    if len(world.regenerated) > 2 + faults:
        raise Violation(f"{len(world.regenerated)} regenerations")
    world.checker.check_end()
    if scenario is ROTATION and Slot.KEY1 not in {slot for _, slot in world.regenerated}:
        raise Violation("the old key was never revoked")


def check_published(world: World) -> None:
    """All secrets of an account publish one key, and it works."""
    for account in world.ids:
        values = {world.latest(target).value for target in world.enrolled(account)}
        if len(values) > 1:
            raise Violation("the secrets publish different keys")
        if any(not world.accepts(value) for value in values):
            raise Violation("the secrets publish a key that does not work")


async def single_faults(
    scenario: Scenario, level: str, targets: int, *, policy: Policy = POLICY, classes: bool = False
) -> Iterator[tuple[int, str]]:
    """Every fault at every call of the scenario as it goes without any."""
    calls = (
        await run_scenario(scenario, {}, level=level, targets=targets, policy=policy)
    ).interceptor.calls
    return (
        (number, fault)
        for number, call in enumerate(calls)
        for fault in possible(call, classes=classes)
    )
