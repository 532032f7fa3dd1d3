"""docs/errors.md has every error code that is in the source, with its remedy, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from rotation.adapters import sdk_errors
from rotation.domain.errors import NO_SUCH_ACCOUNT

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/errors.md").read_text()

# The position of the code in calls that take it as a plain argument.
_POSITIONS = {"block": 1, "Failure": 0}


def codes() -> set[str]:
    """Return every code that the service writes itself, or has a remedy for."""
    found = {code for path in (ROOT / "rotation").rglob("*.py") for code in _of_module(path)}
    return found | set(sdk_errors._REMEDIES) | NO_SUCH_ACCOUNT


def _of_module(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for value in _given(call):
            resolved = constants.get(value.id) if isinstance(value, ast.Name) else value
            if isinstance(resolved, ast.Constant) and isinstance(resolved.value, str):
                yield resolved.value


def _given(call: ast.Call) -> Iterator[ast.expr]:
    yield from (keyword.value for keyword in call.keywords if keyword.arg == "code")
    position = _POSITIONS.get(getattr(call.func, "id", ""))
    if position is not None and len(call.args) > position:
        yield call.args[position]


def test_every_code_is_documented_and_every_documented_one_exists() -> None:
    documented = re.findall(r"^\| `([^`]+)` \|", DOCUMENT, re.M)
    assert sorted(documented) == sorted(codes() - {""})


def test_every_code_has_a_cause_and_a_remedy() -> None:
    for row in re.findall(r"^\| `.*$", DOCUMENT, re.M):
        assert all(cell.strip() for cell in row.strip("|").split("|")), row


def test_the_remedies_of_azures_errors_are_those_that_the_service_prints() -> None:
    for code, remedy in sdk_errors._REMEDIES.items():
        (row,) = re.findall(rf"^\| `{code}` \|.*$", DOCUMENT, re.M)
        assert remedy[1:] in row, code
