"""Many scenarios on all cores: what was run, what was met, what broke."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from . import plan_runner
from .checker import Violation
from .faults import possible
from .plan import plan
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
from .world import World

CORES = os.cpu_count() or 1
BATCH = 20
BY_NAME: dict[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}
SHOWN = 40


@dataclass
class Tally:
    """What some scenarios came to."""

    scenarios: int = 0
    calls: int = 0
    consumer_requests: int = 0
    hits: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    places: set[tuple[str, str]] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    def take(self, world: World) -> None:
        self.scenarios += 1
        self.calls += len(world.interceptor.calls)
        self.consumer_requests += world.consumer_requests
        self.hits.update(world.interceptor.injected)
        self.places |= world.interceptor.call_sites

    def add(self, other: Tally) -> None:
        self.scenarios += other.scenarios
        self.calls += other.calls
        self.consumer_requests += other.consumer_requests
        self.hits += other.hits
        self.places |= other.places
        self.violations += other.violations


@dataclass(frozen=True)
class Seeds:
    """Random plans of these seeds."""

    level: str
    first: int
    count: int

    def run(self) -> Tally:
        tally = Tally()
        for seed in range(self.first, self.first + self.count):
            try:
                tally.take(plan_runner.run_plan(plan(seed, self.level)))
            except Violation as violation:
                tally.violations.append(self._explained(seed, violation))
            except Exception:  # noqa: BLE001 - a fault of the simulation is one, too
                tally.violations.append(f"seed {seed} ({self.level}):\n{traceback.format_exc()}")
        return tally

    def _explained(self, seed: int, violation: Violation) -> str:
        """The seed, the smallest plan that still fails, what broke, and how it came to that."""
        smallest = shrink(plan(seed, self.level))
        try:
            plan_runner.run_plan(smallest)
        except Violation as found:
            violation = found
        return f"{violation}\n{smallest}\n{trace(violation)}"


@dataclass(frozen=True)
class Faults:
    """A scenario with these faults, one scenario for each."""

    scenario: str
    faults: tuple[dict[int, str], ...]
    level: str = "port"
    targets: int = 1
    once: bool = False
    rest: bool = True

    def run(self) -> Tally:
        return asyncio.run(self.tally())

    async def tally(self) -> Tally:
        tally = Tally()
        for faults in self.faults:
            try:
                tally.take(await self._play(faults))
            except Violation as violation:
                tally.violations.append(f"{violation}\n{self._named(faults)}\n{trace(violation)}")
            except Exception:  # noqa: BLE001 - a fault of the simulation is one, too
                tally.violations.append(f"{self._named(faults)}\n{traceback.format_exc()}")
        return tally

    async def _play(self, faults: dict[int, str]) -> World:
        return await run_scenario(
            BY_NAME[self.scenario],
            faults,
            level=self.level,
            targets=self.targets,
            policy=SINGLE_PROBE if self.once else POLICY,
            rest=self.rest,
        )

    def _named(self, faults: dict[int, str]) -> str:
        put = ", ".join(f"{fault} at call {call}" for call, fault in faults.items())
        return f"{self.scenario}, {self.targets} secret(s), {self.level} level: {put or 'nothing'}"


@dataclass(frozen=True)
class Pairs:
    """A scenario with one fault, and every other one after it."""

    scenario: str
    call: int
    fault: str

    def run(self) -> Tally:
        return asyncio.run(self._run())

    async def _run(self) -> Tally:
        first = {self.call: self.fault}
        calls = (
            await run_scenario(BY_NAME[self.scenario], first, policy=SINGLE_PROBE)
        ).interceptor.calls
        pairs = tuple(
            first | {later: fault}
            for later in range(self.call + 1, len(calls))
            for fault in possible(calls[later], classes=True)
        )
        return await Faults(self.scenario, pairs, once=True).tally()


Job = Seeds | Faults | Pairs


def seeds(level: str, first: int, count: int) -> Iterator[Job]:
    """In batches, so that all cores have something to do until the end."""
    for start in range(first, first + count, BATCH):
        yield Seeds(level, start, min(BATCH, first + count - start))


def all_single_faults(level: str, targets: int) -> Iterator[Job]:
    for scenario in SCENARIOS:
        found = asyncio.run(_single_faults(scenario, level, targets))
        for start in range(0, len(found), BATCH):
            faults = tuple({call: fault} for call, fault in found[start : start + BATCH])
            yield Faults(scenario.name, faults, level, targets)


def all_pairs() -> Iterator[Job]:
    for scenario in SCENARIOS:
        for call, fault in asyncio.run(_single_faults(scenario, "port", 1, pairs=True)):
            yield Pairs(scenario.name, call, fault)


async def _single_faults(
    scenario: Scenario, level: str, targets: int, *, pairs: bool = False
) -> list[tuple[int, str]]:
    policy = SINGLE_PROBE if pairs else POLICY
    return list(await single_faults(scenario, level, targets, policy=policy, classes=pairs))


def rotations(level: str, count: int) -> Iterator[Job]:
    """One secret, one rotation, nothing wrong: to measure by."""
    for _ in range(0, count, BATCH):
        yield Faults(ROTATION.name, ({},) * BATCH, level, once=True, rest=False)


def run(jobs: Iterable[Job]) -> tuple[Tally, float]:
    """On all cores; how long it took."""
    began, tally = time.perf_counter(), Tally()
    with ProcessPoolExecutor(CORES, initializer=quiet) as pool:
        for found in pool.map(_run, jobs, chunksize=1):
            tally.add(found)
            _progress(tally)
    return tally, time.perf_counter() - began


def _progress(tally: Tally) -> None:
    """For whoever watches."""
    if sys.stderr.isatty():
        broken = f", {len(tally.violations)} violations" if tally.violations else ""
        print(f"\r{tally.scenarios} scenarios{broken} ", end="\r", file=sys.stderr, flush=True)


def _run(job: Job) -> Tally:
    return job.run()


def quiet() -> None:
    """No logs; and what a scenario leaves behind is collected seldom."""
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def trace(violation: Violation) -> str:
    """The last of what happened."""
    notes = getattr(violation, "__notes__", [])
    return "\n".join("\n".join(notes).splitlines()[-SHOWN:])
