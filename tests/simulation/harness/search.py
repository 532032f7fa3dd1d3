"""Searches for a violation: with the likeliest strategy first, then with all others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from . import careless, directed
from .faults import possible_faults
from .invariants import Violation
from .isolation import compare, run_isolation
from .plan import Plan, PlannedEvent
from .plan_generator import generate_plan
from .plan_runner import run_plan
from .scenarios import SCENARIOS, Scenario, run_scenario, single_faults
from .world import World

SEEDS = range(150)
Execution = Callable[[], object]


def first_violation(strategy: str) -> str | None:
    """Return the first violation found, or None."""
    for name in (strategy, *(other for other in STRATEGIES if other != strategy)):
        for execute in STRATEGIES[name]():
            try:
                execute()
            except Violation as violation:
                return f"{name}: {violation}"
    return None


def _faults() -> Iterator[Execution]:
    """Single faults at the port level, with one secret, then with two."""
    for targets in (1, 2):
        for scenario in SCENARIOS:
            yield partial(_run, scenario, {}, targets=targets)
            found = list(asyncio.run(single_faults(scenario, "port", targets, classes=True)))
            for call, fault in found[:: 3 * targets - 2]:
                yield partial(_run, scenario, {call: fault}, targets=targets)


def _wire() -> Iterator[Execution]:
    """Every fault of a regenerate at the wire level."""
    for scenario in SCENARIOS:
        calls = _run(scenario, {}, level="wire").interceptor.calls
        for number, call in enumerate(calls):
            for fault in possible_faults(call) if call == "arm.regenerate_key" else ():
                yield partial(_run, scenario, {number: fault}, level="wire")


def _run(scenario: Scenario, faults: dict[int, str], **more: Any) -> World:
    return asyncio.run(run_scenario(scenario, faults, **more))


def _seeds() -> Iterator[Execution]:
    return (partial(run_plan, generate_plan(seed)) for seed in SEEDS)


def _aimed() -> Iterator[Execution]:
    """Combinations that random plans seldom have."""
    yield partial(run_plan, Plan(0, new_key_delay=200))
    yield partial(run_plan, Plan(0, new_key_delay=200, accepts_any_key=True))
    leak = PlannedEvent(20, "leak unknown")
    for call in range(20):  # a leak is reported while a worker is frozen for longer than its lease
        frozen = PlannedEvent(call, "freeze")
        yield partial(run_plan, Plan(0, due=False, clock_skews=(0, 0), events=(frozen, leak)))


def _isolation() -> Iterator[Execution]:
    return (partial(run_isolation, seed) for seed in range(100))


def _trust() -> Iterator[Execution]:
    """Actions of neighbours and mistakes of the owners, one at a time."""
    hour = 3600
    close = PlannedEvent(hour, "neighbours close the vault")
    leak = PlannedEvent(2 * hour, "leak key1")
    off = PlannedEvent(hour, "neighbours switch keys off")
    by_hand = PlannedEvent(6 * hour, "regenerate Key1")
    share = "neighbours share: "
    dead = PlannedEvent(hour, f"{share}write dead keys")
    several = PlannedEvent(hour, f"{share}publish the spare key in three secrets")
    base = Plan(0, due=False, latency=0.0, neighbours=True)
    yield partial(compare, replace(base, shared=True, events=(close, leak)))
    yield partial(compare, replace(base, events=(off, by_hand)))
    again = tuple(replace(dead, at=hour * number) for number in range(1, 6))
    yield partial(compare, replace(base, shared=True, events=(*again, by_hand)))
    yield partial(compare, replace(base, shared=True, events=(several,)))
    for what in (*careless.ACTIONS, "strangers enrol a placeholder"):
        for due in (False, True):
            plan = replace(base, due=due, broad=True, targets=2)
            yield partial(run_plan, replace(plan, events=(PlannedEvent(hour, what),)))


def _directed(plans: Callable[[], Iterator[Plan]]) -> Callable[[], Iterator[Execution]]:
    return lambda: (partial(run_plan, plan) for plan in plans())


DIRECTED = {
    "emergencies": directed.emergencies,
    "suspects": directed.suspects,
    "versions": directed.reordered_versions,
    "interrupted": directed.interrupted_revocations,
}
STRATEGIES: dict[str, Callable[[], Iterator[Execution]]] = {
    "faults": _faults,
    "wire": _wire,
    "seeds": _seeds,
    "aimed": _aimed,
    "trust": _trust,
    "isolation": _isolation,
    **{name: _directed(plans) for name, plans in DIRECTED.items()},
}
