"""Tables and numbers as the command line prints them."""

from __future__ import annotations

import pytest

from rotation.cli import output

COLUMNS = ("SECRET", "STATE", "WAITING FOR")
ROWS = [("kv/a-key", "healthy", "next rotation"), ("kv/b", None, "")]


def _lines(width: int) -> list[str]:
    return [line.plain for line in output.layout(COLUMNS, ROWS, width)]


def test_a_table_has_one_line_a_row_if_it_fits() -> None:
    expected = ["SECRET    STATE    WAITING FOR", "kv/a-key  healthy  next rotation", "kv/b"]
    assert _lines(80) == expected


def test_columns_that_do_not_fit_go_below_each_row() -> None:
    assert _lines(20) == [
        "SECRET    STATE",
        "    WAITING FOR",
        "kv/a-key  healthy",
        "    next rotation",
        "kv/b",
    ]


def test_a_long_last_cell_goes_below_its_own_row_only() -> None:
    assert _lines(31) == [
        "SECRET    STATE    WAITING FOR",
        "kv/a-key  healthy",
        "    next rotation",
        "kv/b",
    ]


def test_more_lines_go_below_their_row() -> None:
    lines = [line.plain for line in output.layout(COLUMNS, ROWS, 80, [["why", "→ do it"], []])]
    assert lines[2:] == ["    why", "    → do it", "kv/b"]


def test_in_a_pipe_cells_are_separated_by_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(COLUMNS, [("kv/a-key", None, "two\nlines\tlong")])
    assert capsys.readouterr().out == "SECRET\tSTATE\tWAITING FOR\nkv/a-key\t\ttwo lines long\n"


def test_a_name_is_never_cut() -> None:
    assert _lines(3)[2:4] == ["kv/a-key", "    healthy  next rotation"]


@pytest.mark.parametrize(("number", "text"), [(0, "0 keys"), (1, "1 key"), (2, "2 keys")])
def test_a_number_agrees_with_its_noun(number: int, text: str) -> None:
    assert output.count(number, "key") == text
