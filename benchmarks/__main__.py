"""Run the benchmarks: a table for people, and JSON on the last line.

    python -m benchmarks [--check] [--write]

``--check`` fails if a count or a ratio is larger than in ``figures.json``; ``--write`` replaces
that file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from typing import Any

from . import figures, peers, scenarios, table
from .idle import run as idle
from .pace import report


async def _measure() -> dict[str, Any]:
    rotation, revocation = await scenarios.halves()
    first, second = await scenarios.halves(targets=2)
    return {
        "rotation": rotation,
        "revocation": revocation,
        "further_target": {name: first[name] + second[name] for name in first},
        "emergency_before_regenerate": await scenarios.emergency(),
        "overlap": await scenarios.overlap(),
        "idle_day": await scenarios.idle(),
        "microsoft_sample": await peers.sample(),
        "authjanitor_as_it_would_be": await peers.authjanitor(),
    }


def main() -> int:
    """Return 1 if a figure has grown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--check", action="store_true", help="fail if a figure has grown")
    parser.add_argument("--write", action="store_true", help="replace figures.json")
    parser.add_argument("--secrets", type=int, default=idle.SECRETS, help="of the fleet at rest")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = asyncio.run(_measure())
    fleet = asyncio.run(idle.measured(arguments.secrets))
    further = found["further_target"]
    for name in further:
        further[name] -= found["rotation"][name] + found["revocation"][name]
    pace = report.measured()
    grown = figures.grown(found | {"idle": fleet}, pace) if arguments.check else []
    grown += idle.over(fleet) if arguments.check else []
    if arguments.write:
        figures.write(found | {"idle": fleet}, pace)
    table.show(found)
    print("", *idle.lines(fleet), "", *report.lines(pace), "", *grown, sep="\n")
    print(json.dumps(found | {"idle": fleet} | pace))
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
