"""Named texts are parsed, and every problem is collected."""

from __future__ import annotations

from rotation.domain.parsing import TextReader


def test_a_valid_text_is_parsed_without_surrounding_blanks() -> None:
    reader = TextReader({"size": " 3 "})
    assert reader.parse("size", int, 1) == 3
    assert reader.problems == []


def test_an_absent_or_blank_text_reads_as_the_default() -> None:
    reader = TextReader({"size": " "})
    assert reader.parse("size", int, 1) == 1
    assert reader.parse("count", int, 2) == 2
    assert reader.problems == []


def test_every_invalid_value_is_a_problem_and_reads_as_the_default() -> None:
    reader = TextReader({"size": "large", "count": 7}, prefix="tag ")
    assert reader.parse("size", int, 1) == 1
    assert reader.parse("count", int, 2) == 2
    assert [problem.partition(":")[0] for problem in reader.problems] == ["tag size", "tag count"]


def test_a_problem_does_not_repeat_a_key() -> None:
    key = "0123456789abcdef" * 2
    reader = TextReader({"size": key})
    reader.parse("size", int, 1)
    assert key not in reader.problems[0]
