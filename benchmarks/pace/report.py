"""The figures of the pace: as a table, as JSON, and compared with the committed ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from .emergencies import emergencies, leak
from .estate import Shape
from .makespan import measure

KEYS = 1000

# Subscriptions, vaults and workers.
_SHAPES = ((1, 1, 20), (100, 1, 40), (100, 100, 125))

# A ratio may grow by this factor: the order of equal moments differs between machines.
TOLERANCE = 1.05


def makespans(keys: int, shapes: Iterable[tuple[int, int, int]]) -> list[dict[str, Any]]:
    """Return the makespans of shapes, given by subscriptions, vaults and workers."""
    path = measure(Shape(1, 1, 1), 1).seconds
    return [asdict(measure(Shape(keys, subs, vaults), n, path)) for subs, vaults, n in shapes]


def measured(keys: int = KEYS) -> dict[str, Any]:
    """Return the makespans of each shape, the emergencies, and the leaks of 1,000 keys."""
    found = emergencies()
    return {
        "makespan": makespans(keys, _SHAPES),
        "emergency": asdict(found),
        "leak_1000": [asdict(leak(subs)) for subs in (1, 10, 100)],
    }


def ratios(found: Mapping[str, Any]) -> dict[str, float]:
    """Return all ratios by name."""
    named = {f"makespan of {m['keys']} keys, {m['shape']}": m["ratio"] for m in found["makespan"]}
    named |= {f"leak in {m['subscriptions']} subscriptions": m["ratio"] for m in found["leak_1000"]}
    one = found["emergency"]
    named |= {"answers 429 to emergencies during a sweep": one["throttled"]}
    return named | {"emergency during a sweep": one["ratio"]}


def slower(found: Mapping[str, Any], committed: Mapping[str, Any]) -> list[str]:
    """Return a line for each ratio that is larger than the committed one."""
    before = ratios(committed)
    return [
        f"{name}: the ratio grew from {before[name]} to {ratio}"
        for name, ratio in ratios(found).items()
        if ratio > before.get(name, ratio) * TOLERANCE
    ]


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return the table."""
    spans = [
        f"{m['keys']:,} keys, {m['shape']}, {m['workers']} workers: {m['seconds']} s, "
        f"{m['ratio']} of the bound of {m['bound']} s ({m['limit']}), "
        f"{m['throttled_share']:.2%} of the calls throttled"
        for m in found["makespan"]
    ]
    one = found["emergency"]
    idle = f"an emergency: {one['idle_median']} s until the key is rejected"
    loaded = f"during a sweep: {one['loaded_median']} s ({one['throttled']} answers 429)"
    leaks = [
        f"1,000 leaked keys of {m['subscriptions']} subscription(s): {m['seconds']} s, "
        f"{m['ratio']} of the bound of {m['bound']} s"
        for m in found["leak_1000"]
    ]
    return [*spans, idle, loaded, *leaks]
