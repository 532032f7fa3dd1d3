"""``python -m scripts.mutation``: tell how many small faults of the service the tests would notice.

The tests are collected once. Each mutant runs in a fork: its function's code is replaced, and the
tests that run the changed line follow.
"""

from __future__ import annotations

import argparse
import gc
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
_COLUMNS = (ASSERTION, CRASH, TIMEOUT, SURVIVED, UNTESTED, REVIEWED)
_REVIEWED, _KNOWN = (Path(__file__).with_name(name) for name in ("reviewed.toml", "survivors.txt"))

CACHE = ROOT / ".cache/mutation"

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
        self.outcomes: dict[Mutant, str] = {}
        self._sound: set[str] = set()  # tests that pass without a mutant

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Limit the examples of property tests, and do not shrink them."""
        for test in (getattr(item, "obj", None) for item in items):
            if found := getattr(test, "_hypothesis_internal_use_settings", None):
                test._hypothesis_internal_use_settings = settings(  # type: ignore[union-attr]
                    found,
                    max_examples=min(found.max_examples, 10),
                    suppress_health_check=list(HealthCheck),
                    phases=[Phase.explicit, Phase.generate],
                    deadline=None,
                )

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the mutants after a control."""
        self._installer, self._tests = Installer(), Tests(session.items, CACHE)
        digest = _digest({item.path for item in session.items})
        self._tests.read_map(digest)
        self._results = Results(CACHE / "results.jsonl", digest)
        gc.freeze()
        gc.disable()
        chosen, started = self._chosen(), time.monotonic()
        self._control(chosen)
        for mutant in chosen:
            if self._options.seconds and time.monotonic() - started > self._options.seconds:
                print(f"{len(chosen) - len(self.outcomes)} mutants were not tried: no time left")
                break
            self.outcomes[mutant] = self._results.get(mutant) or self._try(mutant)
        return True

    def _chosen(self) -> list[Mutant]:
        found = mutants(self._options.paths)
        if self._options.all:
            return found
        print(f"{self._options.n} of {len(found)} mutants, SEED={self._options.seed}")
        return random.Random(self._options.seed).sample(found, min(self._options.n, len(found)))

    def _control(self, chosen: Iterable[Mutant]) -> None:
        """Recompile every function without a change: the fastest tests of each must pass."""
        originals = {(m.path, m.function): (m, m.code(control=True)) for m in chosen}
        tests = {t for m in chosen for t in self._tests.covering(m.path, m.lines)[:2]}

        def prepare() -> None:
            for mutant, code in originals.values():
                self._installer.install(mutant, code)

        outcome, test = self._tests.first_failure(sorted(tests), prepare)
        if outcome != PASSED:
            pytest.exit(f"the control fails: {outcome} in {test} without a mutant", returncode=2)

    def _try(self, mutant: Mutant) -> str:
        """Return how a mutant ends. A test that fails without it too is ignored."""
        tests, code = self._tests.covering(mutant.path, mutant.lines), mutant.code()
        outcome = SURVIVED if tests else UNTESTED
        while tests:
            found, test = self._tests.first_failure(
                tests, lambda: self._installer.install(mutant, code)
            )
            if found == PASSED:
                break
            if test in self._sound or self._tests.first_failure([test])[0] == PASSED:
                self._sound.add(test)
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
        self._found = {(name, source): rest for name, source, *rest in map(json.loads, lines)}

    def get(self, mutant: Mutant) -> str:
        """Return the outcome of a mutant, or "" if it must be tried."""
        digest, outcome = self._found.get((mutant.name, mutant.source), ("", ""))
        return outcome if outcome == ASSERTION or digest == self._digest else ""

    def add(self, mutant: Mutant, outcome: str) -> None:
        """Append an outcome."""
        one = (mutant.name, mutant.source, self._digest, outcome)
        with self._file.open("a") as file:
            file.write(json.dumps(one, ensure_ascii=False) + "\n")


def reviewed() -> Mapping[str, str]:
    """Return the arguments why a survivor behaves like the original, by the names of mutants."""
    return {e["mutant"]: e["argument"] for e in tomllib.loads(_REVIEWED.read_text())["survivor"]}


def known() -> set[str]:
    """Return the names of the survivors that no test kills yet."""
    return {line for line in _KNOWN.read_text().splitlines() if not line.startswith("#")}


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


def report(outcomes: dict[Mutant, str], *, write: bool) -> int:
    """Print the table and the survivors that are in neither list; return 1 if there are any."""
    arguments, listed = reviewed(), known()
    survivors = {m.name: m for m in outcomes if outcomes[m] in (SURVIVED, UNTESTED)}
    outcomes |= {m: REVIEWED for name, m in survivors.items() if name in arguments}
    print(table(outcomes))
    left = survivors.keys() - arguments.keys()
    if write:
        head = [line for line in _KNOWN.read_text().splitlines() if line.startswith("#")]
        tried = {m.name.partition(" | ")[0] for m in outcomes}
        others = {name for name in listed if name.partition(" | ")[0] not in tried}
        _KNOWN.write_text("\n".join([*head, *sorted(left | others)]) + "\n")
        return 0
    for name in sorted(left - listed):
        print(f"new: {survivors[name].path}:{survivors[name].lines.start}\n  {name}")
    return int(bool(left - listed))


def main() -> int:
    """Return 1 if a mutant survives that is in neither list of survivors."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation")
    parser.add_argument("paths", nargs="*", default=["rotation"])
    parser.add_argument("--all", action="store_true", help="every mutant; continues an earlier run")
    parser.add_argument("--n", type=int, default=40, help="how many mutants a sample has")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=int, default=0, help="start no mutant after this time")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="files and directories of tests")
    parser.add_argument("--write", action="store_true", help="write the survivors to the list")
    run = Run(options := parser.parse_args())
    CACHE.mkdir(parents=True, exist_ok=True)
    quiet = ["-q", "-s", "--no-header", "-p", "no:cacheprovider", f"--basetemp={CACHE / 'tmp'}"]
    marks = ["-m", "not slow and not azurite and not browser"]
    early = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # Hypothesis is imported above
    status = int(pytest.main([*options.tests, *quiet, *marks, *early], plugins=[run]))
    return status or report(run.outcomes, write=options.write)


if __name__ == "__main__":
    sys.exit(main())
