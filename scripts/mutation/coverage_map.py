"""Map of the tests that run each line, with their times. Kept in ``.cache`` by test module."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

from .forks import Tests
from .mutants import ROOT

CACHE = ROOT / ".cache/mutation"

Map = dict[str, dict[str, Any]]  # by test: "seconds", "failed", and "lines" by file


def covered(tests: Tests) -> Map:
    """Return the map; run each test module whose code or tests have changed."""
    modules: dict[str, list[str]] = defaultdict(list)
    for name in tests.items:
        modules[name.partition("::")[0]].append(name)
    shared, found = _shared(), {}
    for module, names in modules.items():
        digest = hashlib.sha256((shared + (ROOT / module).read_text()).encode()).hexdigest()[:16]
        cached = CACHE / "map" / f"{module.replace('/', '.')}-{digest}.json"
        if not cached.exists():
            print(f"  which lines {module} runs", flush=True)
            _write(cached, {one.pop("test"): one for one in _traced(tests, names)}, module)
        found.update(json.loads(cached.read_text()))
    return {name: one for name, one in found.items() if name in tests.items}


def digest(tests: Tests) -> str:
    """Return a hash of the service and all tests, which decides whether survivors are retried."""
    modules = sorted({name.partition("::")[0] for name in tests.items})
    text = _shared() + "".join((ROOT / module).read_text() for module in modules)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _shared() -> str:
    parts = ("rotation", "emulator", "tests")
    files = sorted(file for part in parts for file in (ROOT / part).rglob("*.py"))
    used = (file.read_bytes() for file in files if not file.name.startswith("test_"))
    return hashlib.sha256(b"".join(used)).hexdigest()


def _write(file: Path, found: Map, module: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.glob(f"{module.replace('/', '.')}-*.json"):
        old.unlink()
    file.write_text(json.dumps(found))


def _traced(tests: Tests, names: Iterable[str]) -> list[dict[str, Any]]:
    limits = dict.fromkeys(names, 20.0)
    found = [one for one in tests.forked(lambda: _trace(tests, limits)) if "test" in one]
    if len(found) < len(limits):
        pytest.exit(f"{names}: see {CACHE}/fork.log", returncode=2)
    return found


def _trace(tests: Tests, limits: dict[str, float]) -> Iterator[dict[str, Any]]:
    tracer = coverage.Coverage(
        data_file=None, config_file=False, include=[str(ROOT / "rotation/*")], messages=False
    )
    tracer.set_option("run:disable_warnings", ["no-data-collected"])  # a test need not run any
    tracer.start()
    started = 0.0
    for name, failed in tests.run(limits):
        if failed is None:
            tracer.switch_context(name)
            started = time.perf_counter()
            continue
        seconds = time.perf_counter() - started
        data = tracer.get_data()
        data.set_query_context(name)
        files = {str(Path(f).relative_to(ROOT)): data.lines(f) for f in data.measured_files()}
        yield {"test": name, "seconds": seconds, "failed": failed, "lines": files}
