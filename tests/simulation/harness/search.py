"""Looks for a violation where it is likely first, then everywhere. For the mutants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from . import plan_runner
from .checker import Violation
from .faults import possible
from .plan import Plan, PlannedEvent, plan
from .scenarios import SCENARIOS, Scenario, run_scenario, single_faults
from .world import World

SEEDS = range(150)
Execution = Callable[[], object]


def first_violation(strategy: str) -> str | None:
    """What broke first, or None where nothing did."""
    for name in (strategy, *(other for other in STRATEGIES if other != strategy)):
        for execute in STRATEGIES[name]():
            try:
                execute()
            except Violation as violation:
                return f"{name}: {violation}"
    return None


def _faults() -> Iterator[Execution]:
    """No fault, then single ones, at the port level; with one secret, then with two."""
    for targets in (1, 2):
        for scenario in SCENARIOS:
            yield partial(_play, scenario, {}, targets=targets)
            found = list(asyncio.run(single_faults(scenario, "port", targets, classes=True)))
            for call, fault in found[:: 3 * targets - 2]:
                yield partial(_play, scenario, {call: fault}, targets=targets)


def _wire() -> Iterator[Execution]:
    """Everything that can happen to a regenerate on the wire."""
    for scenario in SCENARIOS:
        calls = _play(scenario, {}, level="wire").interceptor.calls
        for number, call in enumerate(calls):
            for fault in possible(call) if call == "arm.regenerate_key" else ():
                yield partial(_play, scenario, {number: fault}, level="wire")


def _play(scenario: Scenario, faults: dict[int, str], **more: Any) -> World:
    return asyncio.run(run_scenario(scenario, faults, **more))


def _seeds() -> Iterator[Execution]:
    return (partial(plan_runner.run_plan, plan(seed)) for seed in SEEDS)


def _aimed() -> Iterator[Execution]:
    """What chance seldom brings together."""
    yield partial(plan_runner.run_plan, Plan(0, new_key_delay=200))
    yield partial(plan_runner.run_plan, Plan(0, new_key_delay=200, accepts_any_key=True))
    leak = PlannedEvent(20, "leak unknown")
    for call in range(20):  # a worker sleeps past its lease, and somebody reports a leak meanwhile
        frozen = PlannedEvent(call, "freeze")
        yield partial(plan_runner.run_plan, Plan(0, due=False, skews=(0, 0), events=(frozen, leak)))


STRATEGIES: dict[str, Callable[[], Iterator[Execution]]] = {
    "faults": _faults,
    "wire": _wire,
    "seeds": _seeds,
    "aimed": _aimed,
}
