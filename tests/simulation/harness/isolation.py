"""Runs a plan with and without a neighbour's actions: the owners must not notice.

The neighbours have a vault and an account. In a shared plan, their vault also has a secret of the
owners' first account, on which they may write what they like.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest

from rotation.domain.ids import AccountId, TargetId
from rotation.domain.operation import Operation, Purpose

from . import neighbours
from .invariants import Invariant
from .plan import CHAOS, Plan, PlannedEvent
from .plan_runner import run_plan
from .world import World

LATER = timedelta(minutes=10)  # how much later an operation may end because of a neighbour
ROTATED = timedelta(hours=3)  # by then, the first rotation has ended
OWNERS = ("ask", "leak key1", "leak key2", "leak unknown", "cancel", "regenerate Key1")
FORGERIES = (
    "strangers forge a near expiry",
    "strangers forge an expiry",
    "strangers repeat events",
    "strangers send garbage",
)
THEIRS = neighbours.ACTIONS + neighbours.SHARED_ACTIONS + FORGERIES


@dataclass(frozen=True)
class Outcome:
    """The owners' view: operations with their ends, versions, and failed requests."""

    operations: dict[AccountId, tuple[Operation, ...]]
    versions: dict[TargetId, int]
    failures: dict[TargetId, int]


def run_isolation(seed: int) -> World:
    """Run a random plan twice. Raises Violation if the neighbours change the owners' outcome."""
    return compare(generate_isolation_plan(seed))


def compare(plan: Plan) -> World:
    """Run a plan without the neighbours' actions, then with them. Raises Violation."""
    alone = outcome_of(run_plan(without_neighbours(plan)))
    world = run_plan(plan)
    for difference in differences(alone, outcome_of(world)):
        world.invariants.require(Invariant.ISOLATED, False, f"{difference}\n{plan}")
    world.invariants.require(Invariant.ISOLATED, True, "")
    return world


def generate_isolation_plan(seed: int) -> Plan:
    """Return a plan without faults: the owners' requests and the neighbours' actions."""
    rng = random.Random(f"isolation {seed}")
    shared = rng.random() < 0.5
    return Plan(
        seed=seed,
        accounts=rng.choice((1, 2)),
        targets=rng.choice((1, 2)),
        vaults=rng.choice((1, 2)),
        due=shared or rng.random() < 0.6,
        latency=0.0,
        neighbours=True,
        shared=shared,
        events=(
            *(_at(rng, OWNERS) for _ in range(rng.choice((0, 0, 1, 2)))),
            *_actions(rng, shared),
        ),
    )


def _actions(rng: random.Random, shared: bool) -> list[PlannedEvent]:
    """Return what the neighbours do. Dates are changed only once the account was rotated."""
    count = rng.choice((3, 10, 30))
    if not shared:
        return [_at(rng, neighbours.ACTIONS + FORGERIES) for _ in range(count)]
    dates = [_at(rng, neighbours.DATE_ACTIONS) for _ in range(count)]
    rewrites = [_at(rng, neighbours.REWRITES) for _ in range(count)]
    return rewrites + [each for each in dates if each.at > ROTATED.total_seconds()]


def _at(rng: random.Random, kinds: tuple[str, ...]) -> PlannedEvent:
    at = int(rng.random() * CHAOS.total_seconds())
    return PlannedEvent(at, rng.choice(kinds), rng.randrange(8))


def without_neighbours(plan: Plan) -> Plan:
    return replace(plan, events=tuple(each for each in plan.events if each.what not in THEIRS))


def outcome_of(world: World) -> Outcome:
    owned = [target for target in world.secrets() if target.vault != neighbours.VAULT]
    return Outcome(
        {account: _operations(world, account) for account in world.ids},
        {target: len(world.versions(target)) for target in owned},
        {target: world.consumer_failures[target] for target in owned},
    )


def _operations(world: World, account: AccountId) -> tuple[Operation, ...]:
    """Return the operations that ended, without repairs: the neighbours' secret may need them."""
    history = world.record(account).history
    return tuple(done for done in history if done.purpose is not Purpose.REPAIR)


def differences(alone: Outcome, beside: Outcome) -> Iterator[str]:
    """Yield how the second outcome is worse than, or different from, the first."""
    for account, operations in alone.operations.items():
        for one, other in zip_longest(operations, beside.operations[account]):
            if one is None or other is None or _kind(one) != _kind(other):
                yield f"{account.name}: {_text(one)} alone, {_text(other)} beside the neighbours"
            elif _ended(other) > _ended(one) + LATER:
                yield f"{account.name}: {_text(one)} at {_ended(one)}, then at {_ended(other)}"
    for target, count in alone.versions.items():
        if beside.versions.get(target) != count:
            yield f"{target.name}: {count} versions, then {beside.versions.get(target)}"
    for target, failed in alone.failures.items():
        if beside.failures.get(target, 0) > failed + 1:
            yield f"{target.name}: {failed} failed requests, then {beside.failures[target]}"


def _kind(done: Operation) -> tuple[object, ...]:
    return (done.purpose, done.leaked, done.ending, done.proven)


def _text(done: Operation | None) -> str:
    return f"{done.purpose} ({done.outcome})" if done else "nothing"


def _ended(done: Operation) -> datetime:
    return done.ended_at or done.started_at
