"""The page on sizing shows the committed counts."""

from __future__ import annotations

import json
from pathlib import Path

ROWS = {
    "a rotation and its revocation": ("rotation", "revocation"),
    "each further secret": ("further_target",),
    "a leak, until the leaked key is regenerated": ("emergency_before_regenerate",),
    "an overlap of 26 hours with its sweeps": ("overlap",),
    "a day at rest": ("idle_day",),
}
COLUMNS = ("arm", "arm_writes", "key_vault", "probes")


def test_the_table_of_calls_shows_the_figures() -> None:
    figures = json.loads(Path("benchmarks/figures.json").read_text())
    page = Path("docs/sizing.md").read_text()
    for work, scenarios in ROWS.items():
        counts = [sum(figures[one][name] for one in scenarios) for name in COLUMNS]
        assert f"| {work} | {' | '.join(map(str, counts))} |" in page
