"""Results as JSON lines, the list of reviewed survivors, and the table."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from .coverage_map import CACHE
from .forks import ASSERTION, CRASH, TIMEOUT
from .mutants import Mutant

SURVIVED, UNTESTED, REVIEWED = "survived", "no test", "reviewed"

FILE = CACHE / "results.jsonl"

_REVIEWED = Path(__file__).with_name("reviewed.toml")
_COLUMNS = (ASSERTION, CRASH, TIMEOUT, SURVIVED, UNTESTED, REVIEWED)


class Results:
    """The outcomes so far. A survivor counts only while service and tests stay the same."""

    def __init__(self, tests: Iterable[str], digest: str, file: Path = FILE) -> None:
        self._file, self._digest, self._known = file, digest, set(tests)
        lines = file.read_text().splitlines() if file.exists() else []
        self._found = {one["key"]: one for one in map(json.loads, lines)}

    def outcome(self, mutant: Mutant) -> str | None:
        """Return the outcome of a mutant, or None if it must be tried."""
        one = self._found.get(mutant.key)
        if one is None or (one["digest"] != self._digest and one["test"] not in self._known):
            return None
        return str(one["outcome"])

    def add(self, mutant: Mutant, outcome: str, test: str) -> None:
        """Append an outcome."""
        one = {
            "key": mutant.key,
            "path": mutant.path,
            "line": mutant.lines.start,
            "function": mutant.function,
            "operator": mutant.operator,
            "text": mutant.text,
            "outcome": outcome,
            "test": test,
            "digest": self._digest,
        }
        self._found[mutant.key] = one
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as file:
            file.write(json.dumps(one, ensure_ascii=False) + "\n")


def reviewed(file: Path = _REVIEWED) -> Mapping[tuple[str, str, str], str]:
    """Return the arguments why a survivor is accepted, by function, operator and text."""
    entries = tomllib.loads(file.read_text()).get("survivor", [])
    return {(e["function"], e["operator"], e["text"]): e["argument"] for e in entries}


def name(mutant: Mutant) -> tuple[str, str, str]:
    """Return what names a mutant in the reviewed list."""
    function = f"{mutant.path.removesuffix('.py').replace('/', '.')}.{mutant.function}"
    return function, mutant.operator, mutant.text


def table(outcomes: Mapping[Mutant, str], paths: Iterable[str]) -> str:
    """Return a table by package, or by each of ``paths`` that is not a whole package."""
    rows: dict[str, Counter[str]] = {}
    for mutant, outcome in outcomes.items():
        whole = "/".join(mutant.path.split("/")[:2])
        row = next((p for p in paths if len(p) > len(whole) and mutant.path.startswith(p)), whole)
        rows.setdefault(row, Counter())[outcome] += 1
    head = f"{'':32}" + "".join(f"{title:>10}" for title in ("tried", *_COLUMNS, "score"))
    lines = [_line(row, counts) for row, counts in sorted(rows.items())]
    total = sum(rows.values(), Counter())
    return "\n".join([head, *lines, _line("all", total)])


def _line(row: str, counts: Counter[str]) -> str:
    judged = counts[ASSERTION] + counts[SURVIVED] + counts[UNTESTED]
    score = f"{100 * counts[ASSERTION] / judged:.0f} %" if judged else "-"
    numbers = (counts.total(), *(counts[column] for column in _COLUMNS))
    return f"{row:32}" + "".join(f"{number:>10}" for number in (*numbers, score))
