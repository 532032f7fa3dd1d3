"""Searches for a violation: with the likeliest strategy first, then with all others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from .faults import possible_faults
from .invariants import Violation
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


STRATEGIES: dict[str, Callable[[], Iterator[Execution]]] = {
    "faults": _faults,
    "wire": _wire,
    "seeds": _seeds,
    "aimed": _aimed,
}
