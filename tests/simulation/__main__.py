"""``make simulate``: runs at both levels with faults, and what they covered.

    SEED=7 N=10000    random plans: N at the port level, a fiftieth of that on the wire; below
                      1,000, a quarter of the single faults
    PAIRS=1           every pair of faults of every scenario, at the port level
    YEAR=1            a year of 500 accounts

Exits with 1 if an invariant is broken, or was never evaluated, or if too many checks were excused.
"""

from __future__ import annotations

import argparse
import logging
import math
import random
import sys
from collections.abc import Iterable
from functools import partial

from .harness import coverage, jobs, year
from .harness.invariants import Invariant, never_evaluated
from .harness.jobs import Job
from .harness.parallel import CORES, run_jobs
from .harness.tally import Tally

WIRE_SHARE = 50
# With fewer random plans, a quarter of the single faults is injected: the tests inject them all.
WHOLE = 1000
SHOWN_VIOLATIONS = 5
EXCUSED_LIMIT = 0.01
Campaign = tuple[str, Iterable[Job]]
# Pairs of faults are injected into scenarios, which have no consumers.
ONLY_IN_PLANS = {
    Invariant.CONSUMER_SERVED,
    Invariant.FOREIGN_NOT_STORED,
    Invariant.ISOLATED,
    Invariant.OTHERS_SPARED,
    Invariant.EMERGENCY_ACCEPTED,
    Invariant.EMERGENCY_ROLE,
    Invariant.EMERGENCY_ENDS,
    Invariant.ONE_EMERGENCY,
    Invariant.API_EXPLAINS,
    Invariant.NO_KEY_IN_REPLIES,
}
OF_PAIRS = sorted(set(Invariant) - ONLY_IN_PLANS)


def main() -> int:
    """Return the exit status."""
    logging.disable(logging.CRITICAL)
    arguments = _parser().parse_args()
    if arguments.year:
        return year.main()
    if arguments.pairs:
        tally = _run([("pairs of faults, port level", jobs.all_pairs())])
        return _report(tally, OF_PAIRS, classes=True)
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"SEED={seed} N={arguments.n} on {CORES} cores\n")
    return _report(_run(_campaigns(seed, arguments.n)), list(Invariant))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed (default: random)")
    parser.add_argument("--n", type=int, default=1000, help="how many random plans to run")
    parser.add_argument("--pairs", action="store_true", help="run every pair of faults")
    parser.add_argument("--year", action="store_true", help="simulate a year")
    return parser


def _campaigns(seed: int, count: int) -> list[Campaign]:
    speed = min(count, WHOLE)
    some = partial(_single_faults, seed, count)
    return [
        ("one rotation, port level", jobs.rotations_without_faults("port", 6 * speed)),
        ("one rotation, wire level", jobs.rotations_without_faults("wire", speed // 2)),
        ("single faults, port level", some("port", 1)),
        ("single faults, port level, two secrets", some("port", 2)),
        ("single faults, wire level", some("wire", 1)),
        ("random plans, port level", jobs.random_plans("port", seed, count)),
        ("with and without neighbours", jobs.isolations(seed, max(count // 10, 20))),
        ("random plans, wire level", jobs.random_plans("wire", seed, max(count // WIRE_SHARE, 1))),
    ]


def _single_faults(seed: int, count: int, level: str, targets: int) -> list[Job]:
    """Return all single faults, or a random quarter of them if only a few plans are run."""
    found = list(jobs.all_single_faults(level, targets))
    if count >= WHOLE:
        return found
    return random.Random(seed).sample(found, math.ceil(len(found) / 4))


def _run(campaigns: Iterable[Campaign]) -> Tally:
    total = Tally()
    for title, work in campaigns:
        tally, seconds = run_jobs(work)
        print(
            f"{title:40} {tally.runs:7} runs {tally.runs / seconds:8.1f}/s"
            f" {tally.calls:9} calls {len(tally.violations):3} violations",
            flush=True,
        )
        total.add(tally)
    return total


def _report(tally: Tally, wanted: list[Invariant], *, classes: bool = False) -> int:
    """Print what was covered and what broke; return the exit status."""
    print("\n" + coverage.fault_table(tally, classes=classes))
    print("\nInvariants, and how often each was checked:\n" + coverage.invariant_table(tally))
    for violation in tally.violations[:SHOWN_VIOLATIONS]:
        print(f"\nVIOLATION: {violation}")
    missing = never_evaluated(tally.evaluated, wanted)
    for invariant in missing:
        print(f"\nNEVER EVALUATED: {invariant}")
    forgiving = tally.excused_share >= EXCUSED_LIMIT
    if forgiving:
        print(f"\nTOO MANY EXCUSES: less than {EXCUSED_LIMIT:.0%} of the checks may be excused")
    return 1 if tally.violations or missing or forgiving else 0


if __name__ == "__main__":
    sys.exit(main())
