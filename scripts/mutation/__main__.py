"""``python -m scripts.mutation``: tell how many small faults of the service the tests would notice.

The tests are collected once. Each mutant runs in a fork: its function's code is replaced, and the
tests that run the changed line follow, the fastest first. `make mutants` describes the options.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, settings

from . import coverage_map
from .coverage_map import CACHE, Map
from .forks import Tests
from .mutants import ROOT, Installer, Mutant, mutants
from .results import REVIEWED, SURVIVED, UNTESTED, Results, name, reviewed, table

# Tests of the service. Those of the emulator, the deployment and the documents run none of it.
TESTS = (
    *(f"tests/unit/{part}" for part in ("adapters", "cli", "decisions", "domain", "engine")),
    *(f"tests/unit/{part}" for part in ("ops", "runtime", "service", "settings", "web")),
    "tests/compatibility",
    "tests/integration",
    *(f"tests/simulation/test_{part}.py" for part in ("rotation", "emergency", "drift")),
)

_EXAMPLES = 100
_BUDGET = 10.0  # seconds of usual time that the tests of one mutant may take


class Plugin:
    """Runs mutants instead of the tests that pytest has collected."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self.unreviewed: list[Mutant] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Limit the examples of property tests, and do not shrink them."""
        for item in items:
            test = getattr(item, "obj", None)
            limits = getattr(test, "_hypothesis_internal_use_settings", None)
            if limits is not None:
                test._hypothesis_internal_use_settings = settings(  # type: ignore[union-attr]
                    limits,
                    max_examples=min(limits.max_examples, _EXAMPLES),
                    phases=[Phase.explicit, Phase.generate],
                    database=None,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                )

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the mutants and print the table."""
        Run(session, self._options, self.unreviewed).all()
        return True


class Run:
    """One run over all or some mutants."""

    def __init__(
        self, session: pytest.Session, options: argparse.Namespace, unreviewed: list[Mutant]
    ) -> None:
        self._options, self._unreviewed = options, unreviewed
        self._installer = Installer()
        self._tests = Tests(session, CACHE / "fork.log")
        self._map = _passing(coverage_map.covered(self._tests))
        self._runners = _runners(self._map)
        digest = coverage_map.digest(self._tests)
        self._results = Results(self._map, digest)
        self._reviewed = reviewed()

    def all(self) -> None:
        """Try the mutants, fail on a survivor that nobody reviewed, and print the table."""
        chosen, started = self._chosen(), time.monotonic()
        self._control(chosen)
        outcomes: dict[Mutant, str] = {}
        for mutant in chosen:
            if self._options.seconds and time.monotonic() - started > self._options.seconds:
                print(f"the time is over: {len(chosen) - len(outcomes)} mutants were not tried")
                break
            outcomes[mutant] = self._outcome(mutant)
        print(table(outcomes, self._options.paths))

    def _chosen(self) -> list[Mutant]:
        found = mutants(self._options.paths)
        if self._options.all:
            return found
        print(f"{self._options.n} of {len(found)} mutants, SEED={self._options.seed}")
        return random.Random(self._options.seed).sample(found, min(self._options.n, len(found)))

    def _control(self, chosen: Sequence[Mutant]) -> None:
        """Recompile every function without a change: the fastest tests of each must pass."""
        originals = {m.digest: (m, m.original()) for m in chosen}
        fastest = {name for m in chosen for name, _ in self._covering(m)[:2]}

        def prepare() -> None:
            for mutant, code in originals.values():
                self._installer.install(mutant, code)

        outcome, test = self._tests.first_failure(self._in_order(fastest), prepare)
        if outcome:
            pytest.exit(f"the control fails: {outcome} in {test} without a mutant", returncode=2)

    def _outcome(self, mutant: Mutant) -> str:
        outcome = self._results.outcome(mutant)
        if outcome is None:
            outcome, test = self._try(mutant)
            self._results.add(mutant, outcome, test)
        if outcome in (SURVIVED, UNTESTED):
            if name(mutant) in self._reviewed:
                return REVIEWED
            self._unreviewed.append(mutant)
            function, operator, text = name(mutant)
            print(f"{outcome}: {mutant.path}:{mutant.lines.start} {function}\n  {operator}: {text}")
        return outcome

    def _try(self, mutant: Mutant) -> tuple[str, str]:
        code, tests = mutant.code(), self._covering(mutant)
        while tests:
            outcome, test = self._tests.first_failure(
                self._in_order(dict(tests)), lambda: self._installer.install(mutant, code)
            )
            if not outcome or not self._fails_anyway(test):
                return outcome or SURVIVED, test
            print(f"{test} fails without a mutant too; it is ignored")
            tests = [one for one in tests if one[0] != test]
        return UNTESTED, ""

    def _fails_anyway(self, test: str) -> bool:
        one = [(test, self._map[test]["seconds"])]
        return bool(self._tests.first_failure(one, lambda: None)[0])

    def _covering(self, mutant: Mutant) -> list[tuple[str, float]]:
        """Return the tests that run the line, the fastest first, within the budget."""
        places = [self._runners[mutant.path, line] for line in mutant.lines]
        chosen: list[tuple[str, float]] = []
        total = 0.0
        for seconds, test in sorted(set[tuple[float, str]]().union(*places)):
            total += seconds
            if chosen and total > _BUDGET:
                break
            chosen.append((test, seconds))
        return chosen

    def _in_order(self, names: dict[str, float] | set[str]) -> list[tuple[str, float]]:
        """Return the tests by module, the fastest module first: some fixtures serve a module."""
        by_module: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for test in names:
            by_module[test.partition("::")[0]].append((test, self._map[test]["seconds"]))
        ordered = sorted(by_module.values(), key=lambda tests: sum(s for _, s in tests))
        return [test for tests in ordered for test in tests]


def _passing(found: Map) -> Map:
    for test in [test for test, one in found.items() if one["failed"]]:
        print(f"{test} fails without a mutant; it is ignored")
        del found[test]
    return found


def _runners(found: Map) -> dict[tuple[str, int], set[tuple[float, str]]]:
    runners: dict[tuple[str, int], set[tuple[float, str]]] = defaultdict(set)
    for test, one in found.items():
        for path, lines in one["lines"].items():
            for line in lines:
                runners[path, line].add((one["seconds"], test))
    return runners


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation")
    parser.add_argument("paths", nargs="*", default=["rotation"])
    parser.add_argument("--all", action="store_true", help="every mutant; continues an earlier run")
    parser.add_argument("--n", type=int, default=40, help="how many mutants a sample has")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=int, default=0, help="start no mutant after this time")
    return parser.parse_args()


def main() -> int:
    """Return 1 if a mutant survives that is not in the reviewed list."""
    plugin = Plugin(_arguments())
    tests = [test for test in TESTS if (ROOT / test).exists()]
    quiet = ["-q", "-s", "--no-header", "-p", "no:cacheprovider", f"--basetemp={CACHE / 'tmp'}"]
    CACHE.mkdir(parents=True, exist_ok=True)
    marks = ["-m", "not slow and not azurite and not browser"]
    early = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # Hypothesis is imported above
    status = pytest.main([*tests, *quiet, *marks, *early], plugins=[plugin])
    return int(status) or int(bool(plugin.unreviewed))


if __name__ == "__main__":
    sys.exit(main())
