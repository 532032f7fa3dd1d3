"""The prose check reports rejected phrases, and accepts plain English."""

from __future__ import annotations

import pytest

from scripts import prose


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Whoever reads this.", "whoever"),
        ("The overlap is nought.", "nought"),
        ("None where there is no key.", "none where"),
        ("That is no JSON.", "is no json"),
        ("the spare key is\n# made new", "is made new"),
        ('raise Failed("ask "\n    "anew")', "anew"),
        ("def test_it_asks_anew() -> None:", "anew"),
        ('"""What is returned."""', '"""what'),
    ],
)
def test_a_rejected_phrase_is_reported(text: str, phrase: str) -> None:
    assert phrase in {one.phrase for one in prose.check("a.py", text)}


@pytest.mark.parametrize(
    "text",
    [
        "There is no key.",
        "The key is no longer valid.",
        "return found is None",
        "A made-up name. Tests of new keys.",
        '"""Return the key."""',
    ],
)
def test_plain_english_is_accepted(text: str) -> None:
    assert not list(prose.check("a.py", text))


def test_a_finding_names_the_line() -> None:
    (found,) = prose.check("a.md", "One.\n\nSo it is done anew.\n")
    assert str(found).startswith("a.md:3: 'anew'")


def test_the_project_is_in_plain_english() -> None:
    assert [str(one) for one in prose.findings(prose.files())] == []
