"""``make simulate``: as many scenarios as asked for, at both levels, and what they covered.

    SEED=7 N=10000    random plans: N at the port level, a fiftieth of that on the wire
    PAIRS=1           every pair of faults of every scenario, at the port level
    YEAR=1            a year of 500 accounts

Exits with 1 where an invariant broke.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
from collections.abc import Iterable

from .harness import fault_coverage, jobs, year
from .harness.jobs import CORES, Job, Tally

WIRE_SHARE = 50


def main() -> int:
    """Exit status."""
    logging.disable(logging.CRITICAL)
    arguments = _parser().parse_args()
    if arguments.year:
        return year.main()
    if arguments.pairs:
        pairs = ("pairs of faults, port level", jobs.all_pairs())
        return _report([pairs], classes=True)
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"SEED={seed} N={arguments.n} on {CORES} cores\n")
    wire = max(arguments.n // WIRE_SHARE, 1)
    return _report(
        [
            ("one rotation, port level", jobs.rotations("port", 6000)),
            ("one rotation, wire level", jobs.rotations("wire", 400)),
            ("single faults, port level", jobs.all_single_faults("port", 1)),
            ("single faults, port level, two secrets", jobs.all_single_faults("port", 2)),
            ("single faults, wire level", jobs.all_single_faults("wire", 1)),
            ("random plans, port level", jobs.seeds("port", seed, arguments.n)),
            ("random plans, wire level", jobs.seeds("wire", seed, wire)),
        ]
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed; a new one each time without")
    parser.add_argument("--n", type=int, default=1000, help="how many random plans")
    parser.add_argument("--pairs", action="store_true", help="every pair of faults")
    parser.add_argument("--year", action="store_true", help="a simulated year")
    return parser


def _report(campaigns: Iterable[tuple[str, Iterable[Job]]], *, classes: bool = False) -> int:
    total = Tally()
    for title, work in campaigns:
        tally, seconds = jobs.run(work)
        rate = tally.scenarios / seconds
        print(
            f"{title:40} {tally.scenarios:7} scenarios {rate:8.1f}/s"
            f" {tally.calls:9} calls {len(tally.violations):3} violations",
            flush=True,
        )
        total.add(tally)
    print("\n" + fault_coverage.table(total, classes=classes))
    for violation in total.violations[:5]:
        print(f"\nVIOLATION: {violation}")
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main())
