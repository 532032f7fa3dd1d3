"""The makespans that docs/scale.md shows, as a table and as a picture.

    python -m benchmarks.pace.published

draws the picture from ``measured.json``, and prints the rows of the table.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from .makespan import Makespan

_ROOT = Path(__file__).parents[2]

# A GB-second on demand: "Azure Functions pricing", Flex Consumption.
DOLLARS = 0.000026

DATA, PICTURE, PAGE = (
    Path(__file__).parent / "measured.json",
    _ROOT / "docs/images/scale.svg",
    _ROOT / "docs/scale.md",
)


def load() -> list[Makespan]:
    """Return the published makespans, by shape, keys and workers."""
    return [Makespan(**members) for members in json.loads(DATA.read_text())]


def add(found: Iterable[Makespan]) -> None:
    """Publish makespans; each replaces the former one of its shape, keys and workers."""
    known = {(m.shape, m.keys, m.workers): m for m in [*load(), *found]}
    rows = ",\n".join(json.dumps(asdict(known[name])) for name in sorted(known))
    DATA.write_text(f"[\n{rows}\n]\n")


def _cost(m: Makespan) -> float:
    """Return at most what the instances cost in dollars: each of 2 GB is billed while it works."""
    return m.workers * m.seconds * 2 * DOLLARS


def row(m: Makespan) -> str:
    """Return one row of the table."""
    throttled = f"{m.throttled_share:.2%}" if m.throttled_share else "none"
    parts = (
        m.shape,
        f"{m.keys:,}",
        m.workers,
        f"{m.seconds:,.0f} s",
        f"{m.bound:,.0f} s",
        f"{m.ratio:.2f}",
        m.limit,
        throttled,
        f"${_cost(m):.2f}",
    )
    return f"| {' | '.join(map(str, parts))} |"


def draw(found: Iterable[Makespan]) -> None:
    """Draw the seconds by keys, with their bounds, and by instances for 1,000 keys."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.hashsalt"] = "scale"
    figure = Figure(figsize=(10, 4), layout="constrained")
    by_keys, by_workers = figure.subplots(1, 2)
    for number, (shape, spans) in enumerate(_by_shape(found).items()):
        colour = f"C{number}"
        best = _fastest(spans)
        keys = [m.keys for m in best]
        by_keys.plot(keys, [m.seconds for m in best], "o-", color=colour, label=shape)
        by_keys.plot(keys, [m.bound for m in best], ":", color=colour)
        small = [m for m in spans if m.keys == 1000]
        by_workers.plot(
            [m.workers for m in small], [m.seconds for m in small], "o-", color=colour, label=shape
        )
    by_keys.set(xscale="log", yscale="log", xlabel="keys", ylabel="seconds; dotted: the bound")
    by_workers.set(xscale="log", yscale="log", xlabel="instances, for 1,000 keys", ylabel="seconds")
    by_keys.legend()
    figure.savefig(PICTURE, metadata={"Date": None})


def _by_shape(found: Iterable[Makespan]) -> Mapping[str, list[Makespan]]:
    shapes: dict[str, list[Makespan]] = defaultdict(list)
    for m in found:
        shapes[m.shape].append(m)
    return shapes


def _fastest(spans: Iterable[Makespan]) -> list[Makespan]:
    """Return the fastest makespan for each number of keys."""
    best: dict[int, Makespan] = {}
    for m in spans:
        if m.keys not in best or m.seconds < best[m.keys].seconds:
            best[m.keys] = m
    return [best[keys] for keys in sorted(best)]


if __name__ == "__main__":
    draw(load())
    print(*map(row, load()), sep="\n")
