"""Runs that belong together, as data that can be sent to another process."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from .faults import possible_faults
from .invariants import Violation
from .isolation import run_isolation
from .plan_generator import generate_plan
from .plan_runner import run_plan
from .scenarios import (
    POLICY,
    ROTATION,
    SCENARIOS,
    SINGLE_PROBE,
    Scenario,
    run_scenario,
    single_faults,
)
from .shrink import shrink
from .tally import Tally
from .world import World

BATCH = 20
SHOWN_LINES = 40
BY_NAME: dict[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}


@dataclass(frozen=True)
class RandomPlans:
    """The plans of ``count`` seeds."""

    level: str
    first_seed: int
    count: int

    def run(self) -> Tally:
        tally = Tally()
        for seed in range(self.first_seed, self.first_seed + self.count):
            try:
                tally.add_run(run_plan(generate_plan(seed, self.level)))
            except Violation as violation:
                tally.violations.append(self._explain(seed, violation))
            except Exception:  # noqa: BLE001 - an error of the simulation counts, too
                tally.violations.append(f"seed {seed} ({self.level}):\n{traceback.format_exc()}")
        return tally

    def _explain(self, seed: int, violation: Violation) -> str:
        """Return the violation, the smallest plan that still fails, and the end of its trace."""
        smallest = shrink(generate_plan(seed, self.level))
        try:
            run_plan(smallest)
        except Violation as found:
            violation = found
        return f"{violation}\n{smallest}\n{_trace(violation)}"


@dataclass(frozen=True)
class Isolations:
    """The plans of ``count`` seeds, each with and without the neighbours' actions."""

    first_seed: int
    count: int

    def run(self) -> Tally:
        tally = Tally()
        for seed in range(self.first_seed, self.first_seed + self.count):
            try:
                tally.add_run(run_isolation(seed))
            except Violation as violation:
                tally.violations.append(f"isolation, seed {seed}: {violation}\n{_trace(violation)}")
            except Exception:  # noqa: BLE001 - an error of the simulation counts, too
                tally.violations.append(f"isolation, seed {seed}:\n{traceback.format_exc()}")
        return tally


@dataclass(frozen=True)
class ScenarioRuns:
    """A scenario, run once for each of these sets of faults."""

    scenario: str
    fault_sets: tuple[dict[int, str], ...]
    level: str = "port"
    targets: int = 1
    single_probe: bool = False
    at_rest: bool = True

    def run(self) -> Tally:
        return asyncio.run(self.tally())

    async def tally(self) -> Tally:
        tally = Tally()
        for faults in self.fault_sets:
            try:
                tally.add_run(await self._run(faults))
            except Violation as violation:
                text = f"{violation}\n{self._describe(faults)}\n{_trace(violation)}"
                tally.violations.append(text)
            except Exception:  # noqa: BLE001 - an error of the simulation counts, too
                tally.violations.append(f"{self._describe(faults)}\n{traceback.format_exc()}")
        return tally

    async def _run(self, faults: dict[int, str]) -> World:
        return await run_scenario(
            BY_NAME[self.scenario],
            faults,
            level=self.level,
            targets=self.targets,
            policy=SINGLE_PROBE if self.single_probe else POLICY,
            at_rest=self.at_rest,
        )

    def _describe(self, faults: dict[int, str]) -> str:
        injected = ", ".join(f"{fault} at call {call}" for call, fault in faults.items())
        where = f"{self.scenario}, {self.targets} secret(s), {self.level} level"
        return f"{where}: {injected or 'no faults'}"


@dataclass(frozen=True)
class FaultPairs:
    """A scenario with one fault, run once for each fault that can follow it."""

    scenario: str
    call: int
    fault: str

    def run(self) -> Tally:
        return asyncio.run(self._run())

    async def _run(self) -> Tally:
        first = {self.call: self.fault}
        world = await run_scenario(BY_NAME[self.scenario], first, policy=SINGLE_PROBE)
        calls = world.interceptor.calls
        pairs = tuple(
            first | {later: fault}
            for later in range(self.call + 1, len(calls))
            for fault in possible_faults(calls[later], classes=True)
        )
        return await ScenarioRuns(self.scenario, pairs, single_probe=True).tally()


Job = RandomPlans | Isolations | ScenarioRuns | FaultPairs


def random_plans(level: str, first_seed: int, count: int) -> Iterator[Job]:
    """Yield batches, small enough to keep all cores busy until the end."""
    for start in range(first_seed, first_seed + count, BATCH):
        yield RandomPlans(level, start, min(BATCH, first_seed + count - start))


def isolations(first_seed: int, count: int) -> Iterator[Job]:
    for start in range(first_seed, first_seed + count, BATCH):
        yield Isolations(start, min(BATCH, first_seed + count - start))


def all_single_faults(level: str, targets: int) -> Iterator[Job]:
    for scenario in SCENARIOS:
        found = list(asyncio.run(single_faults(scenario, level, targets)))
        for start in range(0, len(found), BATCH):
            faults = tuple({call: fault} for call, fault in found[start : start + BATCH])
            yield ScenarioRuns(scenario.name, faults, level, targets)


def all_pairs() -> Iterator[Job]:
    for scenario in SCENARIOS:
        found = asyncio.run(single_faults(scenario, "port", 1, policy=SINGLE_PROBE, classes=True))
        for call, fault in found:
            yield FaultPairs(scenario.name, call, fault)


def rotations_without_faults(level: str, count: int) -> Iterator[Job]:
    """Yield rotations of one secret, to measure the speed."""
    for _ in range(0, count, BATCH):
        yield ScenarioRuns(ROTATION.name, ({},) * BATCH, level, single_probe=True, at_rest=False)


def _trace(violation: Violation) -> str:
    """Return the end of a violation's trace."""
    notes = getattr(violation, "__notes__", [])
    return "\n".join("\n".join(notes).splitlines()[-SHOWN_LINES:])
