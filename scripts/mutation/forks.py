"""Runs the collected tests in forks of this process, and finds out which lines they run."""

from __future__ import annotations

import inspect
import json
import os
import signal
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol

PASSED, ASSERTION, CRASH, TIMEOUT = "passed", "assertion", "crash", "timeout"
_STATUS = (PASSED, ASSERTION, CRASH)  # by the exit status of a fork
_SECONDS, _TIMES = 6, 8  # a test may take this long, and as many times its usual time
_FAILED = ("AssertionError", "assert ", "Failed: ")  # the beginnings of messages


class Tests:
    """The collected tests. ``cache`` is a directory for the map and for the output of forks."""

    def __init__(self, items: Iterable[Any], cache: Path) -> None:
        self._items, self._cache = {item.nodeid: item for item in items}, cache
        self._seconds: dict[str, float] = {}
        self._by_line: dict[tuple[str, int], set[str]] = defaultdict(set)

    def read_map(self, digest: str) -> None:
        """Find out which tests run which line; the result is kept as long as ``digest`` is."""
        file = self._cache / f"map-{digest}.json"
        if not file.exists():
            print(f"finding out which lines {len(self._items)} tests run", flush=True)
            self._forked(lambda: self._write_map(file))
        for test, seconds, files in json.loads(file.read_text()):
            self._seconds[test] = seconds
            for path, lines in files.items():
                for line in lines:
                    self._by_line[path, line].add(test)

    def _write_map(self, file: Path) -> str:
        tracer, found = coverage.Coverage(None, config_file=False, include=["rotation/*"]), []
        tracer.start()
        for test, following in self._pairs(self._items):
            tracer.switch_context(test)
            started = time.perf_counter()
            passed = self._outcome(test, following, 60) == PASSED
            seconds, data = time.perf_counter() - started, tracer.get_data()
            data.set_query_context(test)
            files = {os.path.relpath(f): data.lines(f) for f in data.measured_files()}
            found.append((test, seconds, files if passed else {}))
        file.write_text(json.dumps(found))
        return PASSED

    def covering(self, path: str, lines: Iterable[int]) -> list[str]:
        """Return the tests that run one of the lines, each module in one piece.

        The tests of the file itself come first, then fast modules.
        """
        found = set[str]().union(*(self._by_line[path, line] for line in lines))
        modules: dict[str, float] = defaultdict(float)
        for test in found:
            modules[test.partition("::")[0]] += self._seconds[test]
        own = f"/test_{Path(path).name}::"
        return sorted(found, key=lambda t: (own not in t, modules[t.partition("::")[0]], t))

    def first_failure(
        self, tests: Iterable[str], prepare: Callable[[], None] = lambda: None
    ) -> tuple[str, str]:
        """Return how the tests end in a fork that calls ``prepare``, and the test that failed."""
        current = self._cache / "current"

        def work() -> str:
            prepare()
            worst = PASSED
            for test, following in self._pairs(tests):
                current.write_text(test)
                outcome = self._outcome(test, following, _SECONDS + _TIMES * self._seconds[test])
                if outcome == ASSERTION:
                    return outcome
                worst = outcome if worst == PASSED else worst
            return worst

        return self._forked(work), current.read_text()

    def _pairs(self, tests: Iterable[str]) -> Iterable[tuple[str, Any]]:
        """Return each test with the next one, which may share its fixtures."""
        names = list(tests)
        return zip(names, [*map(self._items.get, names[1:]), None], strict=True)

    def _outcome(self, test: str, following: Any, seconds: float) -> str:
        """Run a test; one that needs no fixture is only called, which is much faster."""
        item = self._items[test]
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        fixtures = {*item.fixturenames} - {*parameters, "request", "no_key_leaves"}
        signal.setitimer(signal.ITIMER_REAL, seconds)
        if fixtures or inspect.iscoroutinefunction(item.obj):
            reports: list[Any] = runtestprotocol(item, log=False, nextitem=following)
            texts = [str(one.longrepr.reprcrash.message) for one in reports if one.failed]
        else:
            texts = _failures(lambda: item.obj(**parameters))
        signal.setitimer(signal.ITIMER_REAL, 0)
        if any(text.startswith(_FAILED) for text in texts):
            return ASSERTION
        return CRASH if texts else PASSED

    def _forked(self, work: Callable[[], str]) -> str:
        if child := os.fork():
            status = os.waitpid(child, 0)[1]
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # what the tests have started
            if os.WIFSIGNALED(status):
                return TIMEOUT if os.WTERMSIG(status) == signal.SIGALRM else CRASH
            return _STATUS[os.WEXITSTATUS(status)]
        outcome = CRASH
        try:
            os.setpgid(0, 0)
            log = os.open(self._cache / "fork.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            outcome = work()
        except BaseException:  # noqa: BLE001 -- the parent must not run on in the fork
            traceback.print_exc()
        finally:
            os._exit(_STATUS.index(outcome))


def _failures(test: Callable[[], object]) -> list[str]:
    try:
        test()
    except pytest.skip.Exception:
        return []
    except BaseException as exc:  # noqa: BLE001 -- tests raise anything
        return [f"{type(exc).__name__}: {exc}"]
    return []
