"""The committed figures: counts may fall, not grow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "figures.json"


def grown(found: Mapping[str, Any]) -> list[str]:
    """Return a line for each count that is larger than the committed one, or new."""
    committed = json.loads(_FILE.read_text())
    return [
        f"{scenario}: {name} grew from {before} to {count}"
        for scenario, counts in found.items()
        for name, count in counts.items()
        if isinstance(count, int)
        if count > (before := committed.get(scenario, {}).get(name, 0))
    ]


def write(found: Mapping[str, Any]) -> None:
    """Replace the committed figures. Only counts are kept: times differ between machines."""
    kept = {
        scenario: {name: count for name, count in counts.items() if isinstance(count, int)}
        for scenario, counts in found.items()
    }
    _FILE.write_text(json.dumps(kept, indent=2) + "\n")
