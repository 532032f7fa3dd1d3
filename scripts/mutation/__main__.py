"""``python -m scripts.mutation``: tell how many small faults of the service the tests would notice.

The tests are collected once. Each mutant runs in a fork: its function's code is replaced, and the
tests that run the changed line follow, the fastest first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from .forks import ASSERTION, CRASH, PASSED, TIMEOUT, Tests
from .mutants import ROOT, Installer, Mutant, mutants

SURVIVED, UNTESTED, REVIEWED = "survived", "no test", "reviewed"

CACHE = ROOT / ".cache/mutation"
_COLUMNS = (ASSERTION, CRASH, TIMEOUT, SURVIVED, UNTESTED, REVIEWED)

# Tests of the service. Those of the emulator, the deployment and the documents run none of it.
TESTS = (
    *(f"tests/unit/{part}" for part in ("adapters", "cli", "decisions", "domain", "engine")),
    *(f"tests/unit/{part}" for part in ("ops", "runtime", "service", "settings", "web")),
    "tests/compatibility",
    "tests/integration",
    *(f"tests/simulation/test_{part}.py" for part in ("rotation", "emergency", "drift")),
)


class Run:
    """A pytest plugin that tries mutants instead of the collected tests."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._reviewed = reviewed()
        self.outcomes: dict[Mutant, str] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Limit the examples of property tests, and do not shrink them."""
        for test in (getattr(item, "obj", None) for item in items):
            if found := getattr(test, "_hypothesis_internal_use_settings", None):
                test._hypothesis_internal_use_settings = settings(  # type: ignore[union-attr]
                    found,
                    max_examples=min(found.max_examples, 25),
                    suppress_health_check=list(HealthCheck),
                    phases=[Phase.explicit, Phase.generate],
                    database=None,
                    deadline=None,
                )

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the mutants, tell of each survivor that nobody reviewed, and print the table."""
        self._installer, self._tests = Installer(), Tests(session, CACHE)
        digest = _digest({item.path for item in session.items})
        self._tests.read_map(digest)
        self._results = Results(CACHE / "results.jsonl", digest)
        chosen, started = self._chosen(), time.monotonic()
        self._control(chosen)
        for mutant in chosen:
            if self._options.seconds and time.monotonic() - started > self._options.seconds:
                print(f"{len(chosen) - len(self.outcomes)} mutants were not tried: no time left")
                break
            self.outcomes[mutant] = self._outcome(mutant)
        print(table(self.outcomes))
        return True

    def _chosen(self) -> list[Mutant]:
        found = mutants(self._options.paths)
        if self._options.all:
            return found
        print(f"{self._options.n} of {len(found)} mutants, SEED={self._options.seed}")
        return random.Random(self._options.seed).sample(found, min(self._options.n, len(found)))

    def _control(self, chosen: Iterable[Mutant]) -> None:
        """Recompile every function without a change: the fastest tests of each must pass."""
        originals = {m.key.partition("-")[0]: (m, m.code(control=True)) for m in chosen}
        tests = {t for m in chosen for t in self._tests.covering(m.path, m.lines)[:2]}

        def prepare() -> None:
            for mutant, code in originals.values():
                self._installer.install(mutant, code)

        outcome, test = self._tests.first_failure(sorted(tests), prepare)
        if outcome != PASSED:
            pytest.exit(f"the control fails: {outcome} in {test} without a mutant", returncode=2)

    def _outcome(self, mutant: Mutant) -> str:
        outcome = self._results.get(mutant) or self._try(mutant)
        if outcome in (SURVIVED, UNTESTED) and mutant.name in self._reviewed:
            return REVIEWED
        if outcome in (SURVIVED, UNTESTED):
            print(f"{outcome}: {mutant.path}:{mutant.lines.start} {mutant.function}")
            print(f"  {mutant.operator}: {mutant.text}", flush=True)
        return outcome

    def _try(self, mutant: Mutant) -> str:
        code = mutant.code()
        tests = self._tests.covering(mutant.path, mutant.lines)
        outcome = SURVIVED if tests else UNTESTED
        while tests:
            found, test = self._tests.first_failure(
                tests, lambda: self._installer.install(mutant, code)
            )
            if found == PASSED:
                break
            if self._tests.first_failure([test])[0] == PASSED:
                outcome = found
                break
            print(f"{test} fails without a mutant too; it is ignored")
            tests.remove(test)
        self._results.add(mutant, outcome)
        return outcome


class Results:
    """The outcomes so far, as JSON lines. A survivor counts as long as ``digest`` is the same."""

    def __init__(self, file: Path, digest: str) -> None:
        self._file, self._digest = file, digest
        lines = file.read_text().splitlines() if file.exists() else []
        self._found = {one["key"]: one for one in map(json.loads, lines)}

    def get(self, mutant: Mutant) -> str:
        """Return the outcome of a mutant, or "" if it must be tried."""
        one = self._found.get(mutant.key, {})
        is_final = one.get("outcome") == ASSERTION or one.get("digest") == self._digest
        return str(one["outcome"]) if one and is_final else ""

    def add(self, mutant: Mutant, outcome: str) -> None:
        """Append an outcome."""
        function, operator, text = mutant.name
        one = {"key": mutant.key, "digest": self._digest, "outcome": outcome}
        one |= {"function": function, "operator": operator, "text": text}
        with self._file.open("a") as file:
            file.write(json.dumps(one, ensure_ascii=False) + "\n")


def reviewed() -> Mapping[tuple[str, str, str], str]:
    """Return the arguments why a survivor is accepted, by function, operator and text."""
    entries = tomllib.loads(Path(__file__).with_name("reviewed.toml").read_text())["survivor"]
    return {(e["function"], e["operator"], e["text"]): e["argument"] for e in entries}


def table(outcomes: Mapping[Mutant, str]) -> str:
    """Return the outcomes and the score of each package."""
    rows: dict[str, Counter[str]] = {}
    for mutant, outcome in outcomes.items():
        for row in ("/".join(mutant.path.split("/")[:2]), "whole"):
            rows.setdefault(row, Counter())[outcome] += 1
    head = f"{'':24}" + "".join(f"{title:>10}" for title in ("tried", *_COLUMNS, "score"))
    return "\n".join([head, *(_line(row, counts) for row, counts in sorted(rows.items()))])


def _line(row: str, counts: Counter[str]) -> str:
    judged = counts[ASSERTION] + counts[SURVIVED] + counts[UNTESTED]
    score = f"{100 * counts[ASSERTION] / judged:.1f} %" if judged else "-"
    numbers = (counts.total(), *(counts[column] for column in _COLUMNS), score)
    return f"{row:24}" + "".join(f"{number:>10}" for number in numbers)


def _digest(tests: Iterable[Path]) -> str:
    """Return a hash of the code and of the tests that run."""
    code = {
        file for part in ("rotation", "emulator", "tests") for file in (ROOT / part).rglob("*.py")
    }
    files = sorted(file for file in code if not file.name.startswith("test_") or file in set(tests))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def main() -> int:
    """Return 1 if a mutant survives that is not in the reviewed list."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation")
    parser.add_argument("paths", nargs="*", default=["rotation"])
    parser.add_argument("--all", action="store_true", help="every mutant; continues an earlier run")
    parser.add_argument("--n", type=int, default=40, help="how many mutants a sample has")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=int, default=0, help="start no mutant after this time")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="files and directories of tests")
    run = Run(options := parser.parse_args())
    CACHE.mkdir(parents=True, exist_ok=True)
    quiet = ["-q", "-s", "--no-header", "-p", "no:cacheprovider", f"--basetemp={CACHE / 'tmp'}"]
    marks = ["-m", "not slow and not azurite and not browser"]
    early = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # Hypothesis is imported above
    status = int(pytest.main([*options.tests, *quiet, *marks, *early], plugins=[run]))
    return status or int(bool({SURVIVED, UNTESTED} & set(run.outcomes.values())))


if __name__ == "__main__":
    sys.exit(main())
