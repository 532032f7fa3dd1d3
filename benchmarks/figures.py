"""The committed figures: counts and ratios may fall, not grow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .pace import report

_FILE = Path(__file__).parent / "figures.json"


def grown(found: Mapping[str, Any], pace: Mapping[str, Any]) -> list[str]:
    """Return a line for each count or ratio that is larger than the committed one, or new."""
    committed = json.loads(_FILE.read_text())
    counts = [
        f"{scenario}: {name} grew from {before} to {count}"
        for scenario, counts in found.items()
        for name, count in counts.items()
        if isinstance(count, int)
        if count > (before := committed.get(scenario, {}).get(name, 0))
    ]
    return [*counts, *report.slower(pace, committed)]


def write(found: Mapping[str, Any], pace: Mapping[str, Any]) -> None:
    """Replace the committed figures.

    Of the calls only counts are kept: times differ between machines. The pace is in virtual time.
    """
    kept = {
        scenario: {name: count for name, count in counts.items() if isinstance(count, int)}
        for scenario, counts in found.items()
    }
    _FILE.write_text(json.dumps(kept | dict(pace), indent=2) + "\n")
