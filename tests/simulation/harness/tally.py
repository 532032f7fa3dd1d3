"""The coverage and the violations of many runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .invariants import Invariant
from .world import World


@dataclass
class Tally:
    """``injected`` counts faults by (call, fault, phase); ``call_sites`` are (call, phase)."""

    runs: int = 0
    calls: int = 0
    consumer_requests: int = 0
    injected: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    call_sites: set[tuple[str, str]] = field(default_factory=set)
    evaluated: Counter[Invariant] = field(default_factory=Counter)
    excused: Counter[Invariant] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add_run(self, world: World) -> None:
        self.runs += 1
        self.calls += len(world.interceptor.calls)
        self.consumer_requests += world.consumer_requests
        self.injected.update(world.interceptor.injected)
        self.call_sites |= world.interceptor.call_sites
        self.evaluated.update(world.invariants.evaluated)
        self.excused.update(world.invariants.excused)

    def add(self, other: Tally) -> None:
        self.runs += other.runs
        self.calls += other.calls
        self.consumer_requests += other.consumer_requests
        self.injected += other.injected
        self.call_sites |= other.call_sites
        self.evaluated += other.evaluated
        self.excused += other.excused
        self.violations += other.violations

    @property
    def excused_share(self) -> float:
        """Return the share of the checks that an excuse covered."""
        excused = self.excused.total()
        return excused / max(self.evaluated.total() + excused, 1)
