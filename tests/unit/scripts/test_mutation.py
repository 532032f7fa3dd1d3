"""The mutants that ``make mutants`` tries, and what it makes of their outcomes."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from rotation.domain import access
from scripts.mutation import __main__ as main
from scripts.mutation import mutants as module
from scripts.mutation.__main__ import report, reviewed, scores
from scripts.mutation.mutants import Mutant, mutants
from scripts.mutation.operators import changes, is_left_out

PATH = "rotation/domain/access.py"


def changed(code: str) -> set[str]:
    """Return the changes of one expression or statement, as code."""
    statement = ast.parse(code).body[0]
    node = statement.value if isinstance(statement, ast.Expr) else statement
    return {ast.unparse(new) for _, new in changes(node)}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("a is None", {"a is not None"}),
        ("a or b or c", {"a and b and c", "b or c", "a or c", "a or b"}),
        ("not a", {"a"}),
        ("a if b else c", {"a", "c"}),
        ("a + b", {"a - b"}),
        ("3", {"4", "2"}),
        ("True", {"False"}),
        ("min", {"max"}),
        ("slot.other", {"slot"}),
        ("slot", {"slot.other"}),
        ("operation.candidate", {"operation.candidate.other"}),
        ("keys.key1", {"keys.key2"}),
        ("found[0]", {"found[-1]"}),
        ("found[-3:]", {"found[:3]"}),
        ("f(a, b=c)", {"f(a)"}),
        ("policy.overlap", {"policy.overlap * 2"}),  # a duration
        ("timedelta(days=1)", {"timedelta(days=1) * 2", "timedelta()"}),
        ("key = other(key)", {"pass"}),
        ("{'a': b}", {"{}"}),
        ("return found", {"return None"}),
        ("if a == b: return c", {"pass"}),
        ("found[name] = value", {"pass"}),
        ("del found[name]", {"pass"}),
    ],
)
def test_an_operator_changes_one_thing(code: str, expected: set[str]) -> None:
    assert changed(code) == expected


def test_a_comprehension_loses_its_condition() -> None:
    node = ast.parse("[a for a in b if c]", mode="eval").body
    assert isinstance(node, ast.ListComp)
    assert [ast.unparse(new) for _, new in changes(node.generators[0])] == [" for a in b"]


@pytest.mark.parametrize(
    "code",
    [
        "'text'",
        "f'{a}'",
        "return 'text'",
        "return False",
        "a + 'text'",
        "timedelta()",
        "f(strict=True)",
    ],
)
def test_texts_and_what_is_as_good_as_none_stay(code: str) -> None:
    assert not changed(code)


@pytest.mark.parametrize("code", ["log.info('a', b=c)", "self._log(a)", "if a:\n    log.info('b')"])
def test_log_lines_are_recognised(code: str) -> None:
    assert is_left_out(ast.parse(code).body[0])


def test_a_docstring_is_a_text() -> None:
    assert is_left_out(ast.parse("'''Return nothing.'''").body[0])


def test_no_mutant_is_made_of_a_text_a_log_line_an_annotation_or_a_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "rotation").mkdir()
    (tmp_path / "rotation/a.py").write_text(
        "def f(a: tuple[b, c, d] = 1, *, e=True):\n"
        "    '''Doc.'''\n    log.info('x', b=1)\n    f'{a + 1}'\n    lambda g=1: g\n"
    )
    assert list(mutants(["rotation"])) == []


def test_a_mutant_runs_instead_of_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access.Caller.may, "__code__", access.Caller.may.__code__)  # restores it
    caller = access.Caller("c", frozenset({access.Role.READ}))
    change = "compare | _ORDER.index(held) >= _ORDER.index(role) → "
    (mutant,) = [m for m in mutants([PATH]) if change in m.name and "<" in m.name]
    assert caller.may(access.Role.READ)
    mutant.recompile()
    assert caller.may(access.Role.READ), "the control"
    mutant.install()
    assert not caller.may(access.Role.READ)


def test_mutants_have_different_names_and_change_the_code() -> None:
    found = list(mutants([PATH]))
    assert len({mutant.name for mutant in found}) == len(found)
    for mutant in found:
        assert ast.dump(mutant.old) != ast.dump(mutant.new)


@pytest.mark.parametrize("path", [PATH, f"{PATH}::Caller.may", "rotation/domain"])
def test_mutants_of_a_directory_a_file_or_a_function(path: str) -> None:
    found = {mutant.name.partition(" | ")[0] for mutant in mutants([path])}
    assert "rotation.domain.access.Caller.may" in found
    assert (len(found) == 1) is ("::" in path)


def _first(number: int) -> list[Mutant]:
    return [mutant for mutant, _ in zip(mutants([PATH]), range(number), strict=False)]


def test_only_assertions_survivors_and_untested_lines_make_the_score() -> None:
    outcomes = ("assertion", "assertion", "survived", "no test", "crash", "timeout", "reviewed")
    line = scores(dict(zip(_first(7), outcomes, strict=True))).splitlines()[0]
    assert line.split()[:5] == ["domain", "50.0", "%", "of", "7:"]
    assert line.endswith("2 assertion, 1 survived, 1 no test, 1 crash, 1 timeout, 1 reviewed")


class TestReport:
    """A run fails on a survivor without an argument."""

    def test_a_survivor_fails_the_run_and_is_named(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (mutant,) = _first(1)
        for outcome in ("survived", "no test"):
            assert report({mutant: outcome}) == 1
            assert mutant.name in capsys.readouterr().out
        for outcome in ("assertion", "crash", "timeout", "flaky"):
            assert report({mutant: outcome}) == 0

    def test_one_with_an_argument_does_not_count(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (mutant,) = _first(1)
        monkeypatch.setattr(main, "_REVIEWED", tmp_path / "reviewed.toml")
        entry = f"[[survivor]]\nmutant = {json.dumps(mutant.name)}\nargument = 'why'\n"
        (tmp_path / "reviewed.toml").write_text(entry)
        assert report({mutant: "survived"}) == 0
        assert capsys.readouterr().out.splitlines()[0].split()[1] == "-"


def test_each_survivor_with_an_argument_exists() -> None:
    found = reviewed()
    functions = {name.partition(" | ")[0] for name in found}
    paths = [function.replace(".", "/") for function in functions]
    assert set(found) <= {mutant.name for mutant in mutants(paths)}
    assert all(len(argument) > 20 for argument in found.values())
