"""The figures as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .counting import COUNTED


def show(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a line for each scenario."""
    titles = [name.replace("_", " ") for name in COUNTED]
    width = max(len(name) for name in found) + 2
    print(" " * width + "  ".join(titles))
    for scenario, counts in found.items():
        if set(COUNTED) <= set(counts):
            cells = (f"{counts[n]:>{len(t)}}" for n, t in zip(COUNTED, titles, strict=True))
            print(f"{scenario.replace('_', ' '):{width}}" + "  ".join(cells))
