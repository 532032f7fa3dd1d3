"""What a seed stands for: a world, its workers, and everything that will happen to them.

A plan is plain data, made before anything runs, so that a violation can be made smaller by leaving
things out until nothing more can be left out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta

from .faults import BY_NAME

CHAOS = timedelta(hours=12)
KINDS = ("OpenAI", "AIServices", "SpeechServices", "FormRecognizer", "ComputerVision")
PEOPLE = (
    "regenerate Key1",
    "regenerate Key2",
    "publish Key1",
    "publish Key2",
    "publish nonsense",
    "publish foreign",
    "disable",
    "delete",
    "pause",
    "untag",
    "shorten the expiry",
    "lock",
    "switch keys off",
    "close the vault",
)
OTHERS = ("break the leases", "lose the journal", "an old event", "the event twice")
OUTAGES = ("journal is down", "queue is down", "arm throttles", "keyvault is down", "probe is down")
REQUESTS = ("ask", "leak key1", "leak key2", "leak unknown", "leak key1 twice", "cancel")
# Most calls of a run are among the first so many.
CALLS = 1500


@dataclass(frozen=True)
class PlannedEvent:
    """``at`` is the number of a call for a fault, and seconds for everything else."""

    at: int
    what: str
    target: int = 0

    def __str__(self) -> str:
        if self.what in BY_NAME:
            return f"call #{self.at}: {self.what}"
        return f"{timedelta(seconds=self.at)}: {self.what} (secret {self.target})"


@dataclass(frozen=True)
class Plan:
    """``skews`` are the workers' clocks' errors in seconds; the first worker's is right.

    ``accepts_any_key``: the data plane accepts every key. ``short_validity``: the secrets'
    validity is shorter than the service allows.
    """

    seed: int
    level: str = "port"
    accounts: int = 1
    targets: int = 1
    vaults: int = 1
    kind: str = "OpenAI"
    due: bool = True
    skews: tuple[int, ...] = (0,)
    new_key_delay: int = 0
    old_key_lag: int = 0
    stale: int = 0
    latency: float = 0.1
    accepts_any_key: bool = False
    short_validity: bool = False
    events: tuple[PlannedEvent, ...] = ()

    def without(self, event: PlannedEvent) -> Plan:
        return replace(self, events=tuple(h for h in self.events if h is not event))

    def __str__(self) -> str:
        world = (
            f"seed {self.seed} at the {self.level} level: {self.accounts} account(s) of kind "
            f"{self.kind} with {self.targets} secret(s) each in {self.vaults} vault(s), "
            f"{len(self.skews)} worker(s) with clocks off by {self.skews} s, new keys work after "
            f"{self.new_key_delay} s, old ones for {self.old_key_lag} s more, reads are "
            f"{self.stale} s stale"
            + (", the data plane accepts any key" if self.accepts_any_key else "")
            + (", the secrets' validity is too short" if self.short_validity else "")
        )
        return "\n".join([world, *(f"  {event}" for event in self.events)])


def plan(seed: int, level: str = "port") -> Plan:
    """The plan of a seed, the same on every machine. Every fourth is a race."""
    rng = random.Random(seed)
    return _race(rng, seed, level) if seed % 4 == 3 else _anything(rng, seed, level)


def _race(rng: random.Random, seed: int, level: str) -> Plan:
    """Several workers on one account, which freeze and die and lose their leases; no people."""
    names = ("freeze", "freeze done", "crash", "crash done", "lost", "late", "504", "503 done")
    return Plan(
        seed=seed,
        level=level,
        targets=rng.choice((1, 2)),
        skews=(0, 0, 0),
        latency=rng.choice((0.1, 0.5, 1.0)),
        events=(
            *(
                PlannedEvent(_early(rng, 600), rng.choice(names))
                for _ in range(rng.randrange(4, 16))
            ),
            *(PlannedEvent(_early(rng, 10000), "break the leases") for _ in range(6)),
            *(PlannedEvent(_early(rng, 10000), "the event twice") for _ in range(2)),
            *(
                PlannedEvent(_early(rng, 10000), rng.choice(REQUESTS))
                for _ in range(rng.randrange(3))
            ),
        ),
    )


def _anything(rng: random.Random, seed: int, level: str) -> Plan:
    workers = rng.choice((1, 1, 2, 3))
    skews = tuple(rng.choice((0, 0, 0, 1, -1, 300, -300)) if n else 0 for n in range(workers))
    made = Plan(
        seed=seed,
        level=level,
        accounts=rng.choice((1, 1, 1, 2)),
        targets=rng.choice((1, 1, 2, 3, 4)),
        vaults=rng.choice((1, 2, 3)),
        kind=rng.choice(KINDS),
        due=rng.random() < 0.7,
        skews=skews,
        new_key_delay=rng.choice((0, 0, 20, 200)),
        old_key_lag=rng.choice((0, 0, 40)),
        stale=rng.choice((0, 0, 0, 3, 20)),
        latency=rng.choice((0.0, 0.05, 0.3)),
        accepts_any_key=rng.random() < 0.04,
        short_validity=rng.random() < 0.04,
    )
    # Some runs are all faults and no people, and some the other way round.
    faults, people = rng.choice((0, 1, 3, 10)), rng.choice((0, 0, 1, 4))
    asked = rng.choice((0, 1, 2, 6))
    events = [
        *(PlannedEvent(_early(rng, CALLS), rng.choice(tuple(BY_NAME))) for _ in range(faults)),
        *(_at(rng, PEOPLE) for _ in range(people)),
        *(_at(rng, OTHERS) for _ in range(rng.randrange(2) if people else 0)),
        *(_at(rng, REQUESTS) for _ in range(asked)),
        *(_at(rng, OUTAGES) for _ in range(rng.choice((0, 0, 1, 2)))),
    ]
    return replace(made, events=tuple(events))


def _at(rng: random.Random, what: tuple[str, ...]) -> PlannedEvent:
    at = _early(rng, int(CHAOS.total_seconds()))
    return PlannedEvent(at, rng.choice(what), rng.randrange(4))


def _early(rng: random.Random, limit: int) -> int:
    """Rather soon than late: most of what matters happens in the first minutes."""
    return int(limit * rng.random() ** 3)
