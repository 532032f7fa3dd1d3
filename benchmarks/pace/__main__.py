"""Measure the pace of a fleet, by default of 1,000 keys, with all emergencies.

    python -m benchmarks.pace [KEYS] [--shape 100,1,40] [--write]

``--shape`` measures one makespan only: subscriptions, vaults and workers. ``--write`` publishes
the makespans; ``python -m benchmarks.pace.published`` prints the table of docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import logging

from . import published, report
from .makespan import Makespan


def main() -> None:
    """Print the figures for people, and as JSON on the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pace")
    parser.add_argument("keys", type=int, nargs="?", default=report.KEYS)
    parser.add_argument("--shape", help="subscriptions, vaults and workers, such as 100,1,40")
    parser.add_argument("--write", action="store_true", help="publish the makespans")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if arguments.shape:
        subscriptions, vaults, workers = map(int, arguments.shape.split(","))
        spans = report.makespans(arguments.keys, [(subscriptions, vaults, workers)])
        print(json.dumps(spans))
    else:
        found = report.measured(arguments.keys)
        print(*report.lines(found), sep="\n")
        print(json.dumps(found))
        spans = found["makespan"]
    if arguments.write:
        published.add(Makespan(**members) for members in spans)
        published.draw(published.load())


if __name__ == "__main__":
    main()
