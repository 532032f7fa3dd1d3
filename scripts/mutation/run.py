"""A pytest plugin that tries mutants instead of running the collected tests."""

from __future__ import annotations

import gc
import hashlib
import json
import multiprocessing
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol

from .mutants import Mutant, functions_and_caches
from .operators import ROOT

PASSED, ASSERTION, CRASH, TIMEOUT = "passed", "assertion", "crash", "timeout"
SURVIVED, UNTESTED, FLAKY = "survived", "no test", "flaky"

CACHE = ROOT / ".cache/mutation"
_LAST = CACHE / "last"  # how the last test ended, and its name
_SECONDS = 15  # a test may take this long
_FAILED = ("AssertionError", "assert ", "Failed: ")  # the beginnings of messages


class Run:
    """Each mutant runs in a fork: the tests that run its lines, until one fails."""

    def __init__(self, chosen: list[Mutant]) -> None:
        self._chosen, self.outcomes = chosen, dict[Mutant, str]()
        self._items: dict[str, Any] = {}
        self._sound: set[str] = set()  # tests that pass without a mutant
        self._tests: dict[tuple[str, int], set[str]] = defaultdict(set)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the mutants after a control. What was tried before with the same code is known."""
        self._items = {item.nodeid: item for item in session.items}
        functions_and_caches()
        gc.freeze()
        digest = self._digest()
        self._read_map(CACHE / f"{digest}.map")
        self._control()
        with (CACHE / f"{digest}.jsonl").open("a+") as file:
            file.seek(0)
            known: dict[str, str] = dict(map(json.loads, file))
            for mutant in self._chosen:
                if mutant.name not in known:
                    known[mutant.name] = self._try(mutant)
                    print(json.dumps((mutant.name, known[mutant.name])), file=file, flush=True)
        self.outcomes = {mutant: known[mutant.name] for mutant in self._chosen}
        return True

    def _digest(self) -> str:
        """Return a hash of the code and of the names of the tests."""
        parts = (ROOT / "rotation", ROOT / "emulator", ROOT / "tests")
        found = [file.read_bytes() for part in parts for file in sorted(part.rglob("*.py"))]
        return hashlib.sha256(b"\n".join(found) + repr([*self._items]).encode()).hexdigest()[:16]

    def _read_map(self, file: Path) -> None:
        """Find out which tests run which line."""
        if not file.exists():
            _fork(lambda: self._measure(file))
        if not file.exists():
            pytest.exit("it cannot be found out which tests run which line", returncode=2)
        data = coverage.CoverageData(str(file))
        data.read()
        for path in data.measured_files():
            for line, tests in data.contexts_by_lineno(path).items():
                self._tests[path, line] = {*tests} - {""}

    def _measure(self, file: Path) -> None:
        new = file.with_suffix(".new")
        tracer = coverage.Coverage(new, config_file=False, include=["rotation/*"])
        tracer.erase()
        tracer.start()
        for test, following in self._pairs(self._items):
            tracer.switch_context(test)
            _outcome(self._items[test], following)
        tracer.stop()
        tracer.save()
        new.rename(file)

    def _covering(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the changed lines; those of the file itself come first."""
        found = set[str]().union(*(self._tests[str(mutant.file), line] for line in mutant.lines))
        own = f"/test_{mutant.file.name}::"
        return sorted((t for t in self._items if t in found), key=lambda test: own not in test)

    def _control(self) -> None:
        """Recompile every function without a change: the first tests of each must pass."""
        functions = {(m.file, m.function): m for m in self._chosen}.values()
        some = {test for m in self._chosen for test in self._covering(m)[:2]}
        outcome, test = self._first_failure(sorted(some), *(m.recompile for m in functions))
        if some and outcome != PASSED:
            pytest.exit(f"the control fails: {outcome} in {test} without a mutant", returncode=2)

    def _try(self, mutant: Mutant) -> str:
        """Return how a mutant ends; it is flaky if its test fails without it too."""
        tests = self._covering(mutant)
        outcome, test = self._first_failure(tests, mutant.install) if tests else (UNTESTED, "")
        if outcome == PASSED:
            return SURVIVED
        if test and test not in self._sound and self._first_failure([test])[0] != PASSED:
            return FLAKY
        self._sound.add(test)
        return outcome

    def _first_failure(self, tests: list[str], *prepare: Callable[[], None]) -> tuple[str, str]:
        """Return how the tests end in a fork that calls ``prepare``, and which of them ran last."""

        def work() -> None:
            for call in prepare:
                call()
            for test, following in self._pairs(tests):
                _LAST.write_text(f"{TIMEOUT} {test}")
                signal.alarm(_SECONDS)
                outcome = _outcome(self._items[test], following)
                signal.alarm(0)
                _LAST.write_text(f"{outcome} {test}")
                if outcome != PASSED:
                    break

        _LAST.write_text(f"{CRASH} ")
        _fork(work)
        outcome, _, test = _LAST.read_text().partition(" ")
        return outcome, test

    def _pairs(self, tests: Iterable[str]) -> Iterable[tuple[str, Any]]:
        """Return each test with the next one, which may share its fixtures."""
        names = list(tests)
        return zip(names, [*map(self._items.get, names[1:]), None], strict=False)


def _outcome(item: Any, following: Any) -> str:
    reports: list[Any] = runtestprotocol(item, log=False, nextitem=following)
    texts = [str(one.longrepr.reprcrash.message) for one in reports if one.failed]
    if any(text.startswith(_FAILED) for text in texts):
        return ASSERTION
    return CRASH if texts else PASSED


def _fork(work: Callable[[], None]) -> None:
    def run() -> None:
        os.setpgid(0, 0)
        work()
        os._exit(0)  # without a wait for threads

    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    child.join()
    with suppress(ProcessLookupError):
        os.killpg(child.pid or 0, signal.SIGKILL)  # what the tests have started
