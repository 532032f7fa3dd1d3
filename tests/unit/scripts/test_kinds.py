"""docs/kinds.md is what the code says."""

from __future__ import annotations

from scripts.kinds.page import PAGE, rendered


def test_the_page_is_the_one_that_the_command_writes() -> None:
    assert PAGE.read_text() == rendered(), "run python -m scripts.kinds"
