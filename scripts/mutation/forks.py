"""Runs the collected tests in forks of this process, and finds out which lines they run."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import coverage
import pytest

from .mutants import ROOT

PASSED, ASSERTION, CRASH, TIMEOUT = "passed", "assertion", "crash", "timeout"
_STATUS = (PASSED, ASSERTION, CRASH)  # by the exit status of a fork
_SECONDS, _TIMES = 6, 8  # a test may take this long, and as many times its usual time
_BUDGET = 10.0  # seconds of usual time that the tests of one mutant may take together


class Tests:
    """The collected tests. ``cache`` is a directory for the map and for the output of forks."""

    def __init__(self, session: pytest.Session, cache: Path) -> None:
        self._items = {item.nodeid: item for item in session.items}
        self._config, self._cache = session.config, cache
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
        tracer = coverage.Coverage(data_file=None, config_file=False, include=["rotation/*"])
        tracer.start()
        found = []
        for test, following in _pairs(self._items):
            tracer.switch_context(test)
            started = time.perf_counter()
            passed = self._outcome(test, following, 60) == PASSED
            seconds, data = time.perf_counter() - started, tracer.get_data()
            data.set_query_context(test)
            files = {os.path.relpath(f, ROOT): data.lines(f) for f in data.measured_files()}
            found.append((test, seconds, files if passed else {}))
        file.write_text(json.dumps(found))
        return PASSED

    def covering(self, path: str, lines: Iterable[int]) -> list[str]:
        """Return the fastest tests that run one of the lines, modules together, within a budget."""
        found = set[str]().union(*(self._by_line[path, line] for line in lines))
        modules: dict[str, float] = defaultdict(float)
        chosen: list[str] = []
        total = 0.0
        for test in sorted(found, key=self._seconds.__getitem__):
            total += self._seconds[test]
            if not chosen or total <= _BUDGET:
                chosen.append(test)
                modules[test.partition("::")[0]] += self._seconds[test]
        return sorted(chosen, key=lambda test: (modules[test.partition("::")[0]], test))

    def first_failure(
        self, tests: Iterable[str], prepare: Callable[[], None] = lambda: None
    ) -> tuple[str, str]:
        """Return how the tests end in a fork that calls ``prepare``, and the test that failed."""
        current = self._cache / "current"

        def work() -> str:
            prepare()
            worst = PASSED
            for test, following in _pairs(tests):
                current.write_text(test)
                limit = _SECONDS + _TIMES * self._seconds[test]
                outcome = self._outcome(test, following, limit)
                if outcome == ASSERTION:
                    return outcome
                worst = outcome if worst == PASSED else worst
            return worst

        return self._forked(work), current.read_text()

    def _outcome(self, test: str, following: str | None, seconds: float) -> str:
        item, after = self._items[test], self._items[following] if following else None
        watch = _Watch()
        self._config.pluginmanager.register(watch)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._config.pluginmanager.unregister(watch)
        return watch.outcome

    def _forked(self, work: Callable[[], str]) -> str:
        child = os.fork()
        if not child:
            self._work(work)
        status = os.waitpid(child, 0)[1]
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what the tests have started
        if os.WIFSIGNALED(status):
            return TIMEOUT if os.WTERMSIG(status) == signal.SIGALRM else CRASH
        return _STATUS[os.WEXITSTATUS(status)]

    def _work(self, work: Callable[[], str]) -> None:
        status = CRASH
        try:
            os.setpgid(0, 0)
            log = os.open(self._cache / "fork.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(log, stream)
            self._config.pluginmanager.unregister(name="terminalreporter")
            status = work()
        except BaseException:  # noqa: BLE001 -- the parent must not run on in the fork
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(_STATUS.index(status))


def _pairs(tests: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Yield each test with the one that follows, which may share its fixtures."""
    names = list(tests)
    yield from zip(names, [*names[1:], None], strict=True)


class _Watch:
    """Notes how a test ends."""

    outcome = PASSED

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and call.excinfo and self.outcome != ASSERTION:
            self.outcome = ASSERTION if _is_assertion(call.excinfo.value) else CRASH
        return report


def _is_assertion(exc: BaseException) -> bool:
    inner = exc.exceptions if isinstance(exc, BaseExceptionGroup) else ()
    return isinstance(exc, AssertionError | pytest.fail.Exception) or any(map(_is_assertion, inner))
