"""``python -m scripts.mutation``: tell how many small faults the tests would notice."""

from __future__ import annotations

import argparse
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from .mutants import Mutant, mutants
from .run import ASSERTION, CACHE, SURVIVED, UNTESTED, Run

REVIEWED = "reviewed"
_REVIEWED = Path(__file__).with_name("reviewed.toml")


def reviewed() -> Mapping[str, str]:
    """Return the arguments why a survivor behaves like the original, by the names of mutants."""
    return {e["mutant"]: e["argument"] for e in tomllib.loads(_REVIEWED.read_text())["survivor"]}


def report(outcomes: dict[Mutant, str]) -> int:
    """Print the scores and the survivors without an argument; return 1 if there are any."""
    survivors = {m.name: m for m in outcomes if outcomes[m] in (SURVIVED, UNTESTED)}
    arguments = reviewed()
    outcomes |= {m: REVIEWED for name, m in survivors.items() if name in arguments}
    print(scores(outcomes))
    left = survivors.keys() - arguments.keys()
    for name in sorted(left):
        print(f"{survivors[name].file}:{survivors[name].lines.start}\n  {name}")
    return int(bool(left))


def scores(outcomes: Mapping[Mutant, str]) -> str:
    """Return the score and the outcomes of each package.

    The score is the share that an assertion kills, of those that are killed or survive.
    """
    rows: dict[str, Counter[str]] = {}
    for mutant, outcome in outcomes.items():
        for row in (mutant.name.split(".")[1], "whole"):
            rows.setdefault(row, Counter())[outcome] += 1
    lines = []
    for row, counts in sorted(rows.items()):
        judged = counts[ASSERTION] + counts[SURVIVED] + counts[UNTESTED]
        score = f"{100 * counts[ASSERTION] / judged:.1f} %" if judged else "-"
        numbers = ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())
        lines.append(f"{row:12}{score:>8} of {counts.total()}: {numbers}")
    return "\n".join(lines)


def main() -> int:
    """Return 1 if a mutant survives that ``reviewed.toml`` does not explain."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation")
    parser.add_argument("paths", nargs="*", default=["rotation"])
    parser.add_argument("--n", type=int, help="try a sample of this size")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--tests", nargs="*", default=["tests/unit", "tests/integration"])
    options = parser.parse_args()
    chosen = list(mutants(options.paths))
    if options.n:
        print(f"{options.n} of {len(chosen)} mutants, SEED={options.seed}", flush=True)
        chosen = random.Random(options.seed).sample(chosen, min(options.n, len(chosen)))
    CACHE.mkdir(parents=True, exist_ok=True)
    quiet = ["-q", "--no-header", "-p", "no:cacheprovider", f"--basetemp={CACHE / 'tmp'}"]
    tests = [*options.tests, "-m", "not slow and not azurite and not browser"]
    run = Run(chosen)
    status = int(pytest.main([*quiet, *tests, "--hypothesis-profile=few"], plugins=[run]))
    return status or report(run.outcomes)


if __name__ == "__main__":
    sys.exit(main())
