"""Runs tests in a fork of this process, which has collected them and imported the service."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

ASSERTION, CRASH, TIMEOUT = "assertion", "crash", "timeout"

_SECONDS, _TIMES = 6, 8  # a test may take this long, and as many times its usual time
_CRASHES = 4  # how many tests may crash while one that fails an assertion is looked for


class Tests:
    """The collected tests by their ids."""

    def __init__(self, session: pytest.Session, log: Path) -> None:
        self._log = log  # of the last fork
        self.items = {item.nodeid: item for item in session.items}
        self._config = session.config

    def first_failure(
        self, tests: Iterable[tuple[str, float]], prepare: Callable[[], None]
    ) -> tuple[str, str]:
        """Return the outcome ("" if all pass) and the test that caused it.

        ``tests`` are ids and usual times in seconds; ``prepare`` runs in the fork.
        """
        names = dict(tests)
        last, found = "", ("", "")
        for message in self.forked(lambda: self._until_failure(names, prepare)):
            last = message.get("begins", last)
            if message.get("failed") == ASSERTION:
                return ASSERTION, last
            if message.get("failed"):
                found = (message["failed"], last)
        return found

    def _until_failure(
        self, names: dict[str, float], prepare: Callable[[], None]
    ) -> Iterator[dict[str, Any]]:
        prepare()
        crashes = 0
        for name, failed in self.run(names):
            yield {"begins": name} if failed is None else {"failed": failed}
            crashes += failed == CRASH
            if failed == ASSERTION or crashes == _CRASHES:
                return

    def run(self, names: dict[str, float]) -> Iterator[tuple[str, str | None]]:
        """Run tests in this process: yield each id with None, then with how it failed, or ""."""
        watch = _Watch()
        self._config.pluginmanager.register(watch)
        items = [self.items[name] for name in names]
        for item, following in zip(items, [*items[1:], None], strict=True):
            watch.failed = ""
            yield item.nodeid, None
            signal.setitimer(signal.ITIMER_REAL, _SECONDS + _TIMES * names[item.nodeid])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            signal.setitimer(signal.ITIMER_REAL, 0)
            yield item.nodeid, watch.failed

    def forked(self, work: Callable[[], Iterator[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
        """Yield what ``work`` yields in a fork, and ``failed`` if an alarm or a crash ends it."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            self._work(work, writing)
        os.close(writing)
        try:
            with os.fdopen(reading) as lines:
                yield from (json.loads(line) for line in lines)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
        if status:
            alarm = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
            yield {"failed": TIMEOUT if alarm else CRASH}

    def _work(self, work: Callable[[], Iterator[dict[str, Any]]], writing: int) -> None:
        status = 1
        try:
            os.setpgid(0, 0)
            log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            self._config.pluginmanager.unregister(name="terminalreporter")
            for message in work():
                os.write(writing, json.dumps(message).encode() + b"\n")
            status = 0
        except BaseException:  # noqa: BLE001 -- the parent must not run on in the fork
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)


class _Watch:
    """Notes how a test fails."""

    failed = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        report = yield
        if report.failed and call.excinfo and self.failed != ASSERTION:
            self.failed = ASSERTION if _is_assertion(call.excinfo.value) else CRASH
        return report


def _is_assertion(exc: BaseException) -> bool:
    if isinstance(exc, BaseExceptionGroup):
        return any(_is_assertion(one) for one in exc.exceptions)
    return isinstance(exc, AssertionError | pytest.fail.Exception)
