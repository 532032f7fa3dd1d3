"""The mutants that ``make mutants`` tries, and what it makes of their outcomes."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from rotation.domain import access
from scripts.mutation import __main__ as main
from scripts.mutation import mutants as module
from scripts.mutation.__main__ import Results, known, report, reviewed, table
from scripts.mutation.mutants import Installer, Mutant, mutants
from scripts.mutation.operators import changes, is_left_out

PATH = "rotation/domain/access.py"


def changed(code: str, *, durations: frozenset[str] = frozenset()) -> set[str]:
    """Return the changes of one expression or statement, as code."""
    statement = ast.parse(code).body[0]
    node = statement.value if isinstance(statement, ast.Expr) else statement
    return {ast.unparse(new) for _, new in changes(node, durations)}


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
        ("keys.key1", {"keys.key2"}),
        ("found[0]", {"found[-1]"}),
        ("found[-3:]", {"found[:3]"}),
        ("f(a, b=c)", {"f(a)"}),
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


def test_a_duration_is_doubled() -> None:
    assert changed("policy.overlap", durations=frozenset({"overlap"})) == {"policy.overlap * 2"}


def test_a_comprehension_loses_its_condition() -> None:
    node = ast.parse("[a for a in b if c]", mode="eval").body
    assert isinstance(node, ast.ListComp)
    assert [ast.unparse(new) for _, new in changes(node.generators[0], frozenset())] == [
        " for a in b"
    ]


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


@pytest.mark.parametrize("code", ["log.info('a', b=c)", "self._log(a)", "await log.warning('a')"])
def test_log_lines_are_recognised(code: str) -> None:
    assert is_left_out(ast.parse(code).body[0])


def test_a_docstring_is_a_text() -> None:
    assert is_left_out(ast.parse("'''Return nothing.'''").body[0])


def test_no_mutant_is_made_of_a_text_or_a_log_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text(
        "def f(a):\n    '''Doc.'''\n    log.info('x', b=1)\n    f'{a + 1}'\n"
    )
    assert mutants(["a.py"]) == []


def test_a_mutant_runs_instead_of_the_original_until_it_is_removed() -> None:
    mutant = _mutant("compare", "_ORDER.index(held) >= _ORDER.index(role)", "<")
    caller = access.Caller("c", frozenset({access.Role.READ}))
    installer, original = Installer(), mutant.code(control=True)
    assert caller.may(access.Role.READ)
    installer.install(mutant, mutant.code())
    try:
        assert not caller.may(access.Role.READ)
    finally:
        installer.install(mutant, original)
    assert caller.may(access.Role.READ)


def test_every_mutant_compiles_and_leaves_the_original_as_it_was() -> None:
    found = mutants([PATH])
    before = found[0].code(control=True)
    assert len({mutant.name for mutant in found}) == len(found)
    for mutant in found:
        assert mutant.code().co_code
    assert found[0].code(control=True) == before


def _mutant(operator: str, old: str, new: str) -> Mutant:
    found = [m for m in mutants([PATH]) if f" | {operator} | {old}" in m.name]
    return next(m for m in found if new in m.name.partition("→")[2])


class TestResults:
    def test_a_kill_is_kept_between_runs(self, tmp_path: Path) -> None:
        mutant = mutants([PATH])[0]
        Results(tmp_path / "r", "digest").add(mutant, "assertion")
        assert Results(tmp_path / "r", "other").get(mutant) == "assertion"

    def test_a_survivor_is_tried_again_when_the_code_or_a_test_changes(
        self, tmp_path: Path
    ) -> None:
        mutant = mutants([PATH])[0]
        Results(tmp_path / "r", "digest").add(mutant, "survived")
        assert Results(tmp_path / "r", "digest").get(mutant) == "survived"
        assert not Results(tmp_path / "r", "other").get(mutant)

    def test_only_assertions_survivors_and_untested_lines_make_the_score(self) -> None:
        outcomes = ("assertion", "assertion", "survived", "no test", "crash", "timeout", "reviewed")
        rows = table(dict(zip(mutants([PATH]), outcomes, strict=False))).splitlines()
        assert " ".join(rows[1].split()) == "rotation/domain 7 2 1 1 1 1 1 50.0 %"


class TestReport:
    """A run fails on a survivor that is in neither list."""

    def test_a_new_survivor_fails_the_run_and_is_named(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mutant = mutants([PATH])[0]
        for outcome in ("survived", "no test"):
            assert report({mutant: outcome}, write=False) == 1
            assert mutant.name in capsys.readouterr().out
        for outcome in ("assertion", "crash", "timeout"):
            assert report({mutant: outcome}, write=False) == 0

    def test_a_listed_one_does_not_but_counts(self, lists: Path) -> None:
        mutant, other = mutants([PATH])[:2]
        (lists / "survivors.txt").write_text(f"# head\n{mutant.name}\n")
        assert report({mutant: "survived"}, write=False) == 0
        assert report({other: "survived"}, write=False) == 1

    def test_one_with_an_argument_does_not_count(
        self, lists: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mutant = mutants([PATH])[0]
        entry = f"[[survivor]]\nmutant = {json.dumps(mutant.name)}\nargument = 'why'\n"
        (lists / "reviewed.toml").write_text(entry)
        assert report({mutant: "survived"}, write=False) == 0
        assert capsys.readouterr().out.splitlines()[1].split()[-2:] == ["1", "-"]

    def test_a_whole_run_writes_the_list_of_its_functions(self, lists: Path) -> None:
        mutant, killed = mutants([PATH])[:2]
        gone = f"{mutant.name.partition(' | ')[0]} | gone | a → b"
        elsewhere = "rotation.x.f | compare | a → b"
        (lists / "survivors.txt").write_text(f"# head\n{gone}\n{elsewhere}\n{killed.name}\n")
        assert report({mutant: "survived", killed: "assertion"}, write=True) == 0
        assert known() == {mutant.name, elsewhere}
        assert (lists / "survivors.txt").read_text().startswith("# head\n")

    @pytest.fixture
    def lists(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Return a directory with two empty lists."""
        monkeypatch.setattr(main, "_REVIEWED", tmp_path / "reviewed.toml")
        monkeypatch.setattr(main, "_KNOWN", tmp_path / "survivors.txt")
        (tmp_path / "reviewed.toml").write_text("survivor = []\n")
        (tmp_path / "survivors.txt").write_text("# head\n")
        return tmp_path


def test_each_survivor_with_an_argument_exists() -> None:
    found = reviewed()
    functions = {name.partition(" | ")[0] for name in found}
    paths = {function.rsplit(".", 1)[0].replace(".", "/") for function in functions}
    assert set(found) <= {mutant.name for mutant in mutants(_files(paths))}
    assert all(len(argument) > 20 for argument in found.values())


def test_none_is_in_both_lists() -> None:
    assert not known() & reviewed().keys()


def _files(modules: set[str]) -> set[str]:
    """Return the files of modules; of a method, the name of its class is left out."""
    tried = {path for module in modules for path in (module, module.rpartition("/")[0])}
    return {f"{path}.py" for path in tried if (module.ROOT / f"{path}.py").exists()}
