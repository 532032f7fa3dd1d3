"""A plan: a world, its workers, and everything that will happen to them.

A plan is plain data, made before anything runs, so that a violation can be made smaller by leaving
out one thing after another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from .faults import BY_NAME

HOURS = 12
CHAOS = timedelta(hours=HOURS)  # after this the faults stop, unless a plan lasts longer


@dataclass(frozen=True)
class PlannedEvent:
    """``at`` is the number of a call for a fault, and seconds for everything else."""

    at: int
    what: str
    target: int = 0

    @property
    def is_fault(self) -> bool:
        return self.what in BY_NAME

    def __str__(self) -> str:
        if self.is_fault:
            return f"call #{self.at}: {self.what}"
        return f"{timedelta(seconds=self.at)}: {self.what} (secret {self.target})"


@dataclass(frozen=True)
class Plan:
    """``clock_skews`` has one value for each worker. All times are seconds.

    ``accepts_any_key``: the data plane accepts every key. ``short_validity``: the secrets'
    validity is shorter than the service allows. ``neighbours``: another team has a vault and an
    account. ``broad``: the owners' vaults are bound to their resource group, not to accounts.
    ``shared``: the neighbours have a secret of the owners' first account. ``hours``: after these
    the faults stop, and everything must converge.
    """

    seed: int
    level: str = "port"
    accounts: int = 1
    targets: int = 1
    vaults: int = 1
    kind: str = "OpenAI"
    due: bool = True
    clock_skews: tuple[int, ...] = (0,)
    new_key_delay: int = 0
    old_key_lag: int = 0
    read_staleness: int = 0
    latency: float = 0.1
    accepts_any_key: bool = False
    short_validity: bool = False
    neighbours: bool = False
    broad: bool = False
    shared: bool = False
    hours: int = HOURS
    events: tuple[PlannedEvent, ...] = ()

    def without(self, event: PlannedEvent) -> Plan:
        return replace(self, events=tuple(other for other in self.events if other is not event))

    def __str__(self) -> str:
        world = (
            f"seed {self.seed} at the {self.level} level: {self.accounts} account(s) of kind "
            f"{self.kind} with {self.targets} secret(s) each in {self.vaults} vault(s), "
            f"{len(self.clock_skews)} worker(s) with clocks off by {self.clock_skews} s, new keys "
            f"work after {self.new_key_delay} s, old ones for {self.old_key_lag} s more, reads are "
            f"{self.read_staleness} s stale"
            + (", the data plane accepts any key" if self.accepts_any_key else "")
            + (", there are neighbours" if self.neighbours else "")
            + (", a secret is shared" if self.shared else "")
            + (", the bindings are broad" if self.broad else "")
            + (", the secrets' validity is too short" if self.short_validity else "")
            + (f", for {self.hours} hours" if self.hours != HOURS else "")
        )
        return "\n".join([world, *(f"  {event}" for event in self.events)])
