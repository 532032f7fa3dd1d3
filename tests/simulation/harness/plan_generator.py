"""Makes a plan from a seed, the same one on every machine."""

from __future__ import annotations

import random
from dataclasses import replace

from . import careless, incidents, neighbours, strangers, tampering
from .faults import BY_NAME
from .plan import CHAOS, Plan, PlannedEvent

KINDS = ("OpenAI", "AIServices", "SpeechServices", "FormRecognizer", "ComputerVision")
OPERATOR_ACTIONS = (
    "regenerate Key1",
    "regenerate Key2",
    "publish Key1",
    "publish Key2",
    "publish a dead key",
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
LOSSES = ("break the leases", "lose the journal")
EXPIRY_EVENTS = ("an old event", "the event twice")
OUTAGES = ("journal is down", "queue is down", "arm throttles", "keyvault is down", "probe is down")
REQUESTS = ("ask", "leak key1", "leak key2", "leak unknown", "leak key1 twice", "cancel")
TO_OLDER = tuple(f"leak to an earlier version: {leaked}" for leaked in ("key1", "key2", "unknown"))
REPORTS = incidents.REPORTS + incidents.BULK_REPORTS + TO_OLDER
RACE_FAULTS = ("freeze", "freeze done", "crash", "crash done", "lost", "late", "504", "503 done")
ADMITTED = 300  # seconds; by then the secrets are members
_OUTSIDERS = strangers.ACTIONS + tampering.ACTIONS
CALLS = 1500  # most runs make about as many


def generate_plan(seed: int, level: str = "port") -> Plan:
    """Return the plan of a seed.

    Every fourth is a race; every fourth has neighbours; every eighth is about emergencies.
    """
    rng = random.Random(seed)
    if seed % 4 == 3:
        return _race(rng, seed, level)
    plan = _mixture(rng, seed, level)
    if seed % 8 == 6:
        return replace(plan, events=(*plan.events, *_incident(rng)))
    return _with_neighbours(rng, plan) if seed % 4 == 1 else plan


def _with_neighbours(rng: random.Random, plan: Plan) -> Plan:
    """Add another team, careless owners, and strangers."""
    events = (
        *plan.events,
        *(_anywhere(rng, neighbours.ACTIONS) for _ in range(rng.choice((1, 3, 8)))),
        *(_anywhere(rng, careless.ACTIONS) for _ in range(rng.choice((0, 1, 3)))),
        *(_anywhere(rng, _OUTSIDERS) for _ in range(rng.choice((0, 0, 1, 3)))),
    )
    # Without a record, a secret that shows no key must be enrolled again if its vault is shared.
    forgotten = any("record" in each.what or "journal" in each.what for each in events)
    # Nor is it a member soon if a worker with a wrong clock begins the sweeps, which it refuses.
    late = any(abs(skew) > 1 for skew in plan.clock_skews)
    early = any(each.at < ADMITTED and not each.is_fault for each in events)
    broad = rng.random() < 0.5 and not (forgotten or early or late)
    return replace(plan, neighbours=True, broad=broad, events=events)


def _incident(rng: random.Random) -> list[PlannedEvent]:
    """Reported leaks, answers to them, and people who damage the journal just then."""
    first = _early(rng, int(CHAOS.total_seconds() / 2))
    kinds = [REPORTS] * rng.choice((1, 1, 2, 4))
    kinds += [incidents.ANSWERS] * rng.choice((0, 0, 1, 2))
    kinds += [tampering.ACTIONS] * rng.choice((0, 1, 1, 3))
    kinds += [REQUESTS, OUTAGES, OPERATOR_ACTIONS] * rng.choice((0, 0, 1))
    return [
        PlannedEvent(first + _early(rng, 7200), rng.choice(each), rng.randrange(8))
        for each in kinds
    ]


def _race(rng: random.Random, seed: int, level: str) -> Plan:
    """Several workers on one account, which freeze, crash and lose their leases."""
    return Plan(
        seed=seed,
        level=level,
        targets=rng.choice((1, 2)),
        clock_skews=(0, 0, 0),
        latency=rng.choice((0.1, 0.5, 1.0)),
        events=(
            *_events(rng, 600, RACE_FAULTS, rng.randrange(4, 16)),
            *(PlannedEvent(_early(rng, 10000), "break the leases") for _ in range(6)),
            *(PlannedEvent(_early(rng, 10000), "the event twice") for _ in range(2)),
            *_events(rng, 10000, REQUESTS, rng.randrange(3)),
        ),
    )


def _mixture(rng: random.Random, seed: int, level: str) -> Plan:
    """Anything at all; some runs have faults only, and some only people."""
    workers = rng.choice((1, 1, 2, 3))
    skews = tuple(rng.choice((0, 0, 0, 1, -1, 300, -300)) if n else 0 for n in range(workers))
    plan = Plan(
        seed=seed,
        level=level,
        accounts=rng.choice((1, 1, 1, 2)),
        targets=rng.choice((1, 1, 2, 3, 4)),
        vaults=rng.choice((1, 2, 3)),
        kind=rng.choice(KINDS),
        due=rng.random() < 0.7,
        clock_skews=skews,
        new_key_delay=rng.choice((0, 0, 20, 200)),
        old_key_lag=rng.choice((0, 0, 40)),
        read_staleness=rng.choice((0, 0, 0, 3, 20)),
        latency=rng.choice((0.0, 0.05, 0.3)),
        accepts_any_key=rng.random() < 0.04,
        short_validity=rng.random() < 0.04,
    )
    return replace(plan, events=_mixed_events(rng))


def _mixed_events(rng: random.Random) -> tuple[PlannedEvent, ...]:
    faults, people = rng.choice((0, 1, 3, 10)), rng.choice((0, 0, 1, 4))
    requests = rng.choice((0, 1, 2, 6))
    return (
        *_events(rng, CALLS, tuple(BY_NAME), faults),
        *(_anywhere(rng, OPERATOR_ACTIONS) for _ in range(people)),
        *(_anywhere(rng, LOSSES + EXPIRY_EVENTS) for _ in range(rng.randrange(2) if people else 0)),
        *(_anywhere(rng, rng.choice((REQUESTS, REPORTS))) for _ in range(requests)),
        *(_anywhere(rng, OUTAGES) for _ in range(rng.choice((0, 0, 1, 2)))),
    )


def _events(
    rng: random.Random, limit: int, kinds: tuple[str, ...], count: int
) -> list[PlannedEvent]:
    return [PlannedEvent(_early(rng, limit), rng.choice(kinds)) for _ in range(count)]


def _anywhere(rng: random.Random, kinds: tuple[str, ...]) -> PlannedEvent:
    at = _early(rng, int(CHAOS.total_seconds()))
    return PlannedEvent(at, rng.choice(kinds), rng.randrange(4))


def _early(rng: random.Random, limit: int) -> int:
    """Return a number that is more likely small: most of what matters happens early."""
    return int(limit * rng.random() ** 3)
