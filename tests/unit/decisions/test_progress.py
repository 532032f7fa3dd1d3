"""The clause about the targets that publish a key."""

from __future__ import annotations

import pytest

from rotation.decisions.progress import who_publishes
from rotation.domain.keys import Slot

from .account import target


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), "no secret publishes Key2"),
        (("a",), "a publishes Key2"),
        (("a", "b"), "a, b publish Key2"),
    ],
)
def test_the_verb_agrees_with_the_number_of_secrets(names: tuple[str, ...], expected: str) -> None:
    assert who_publishes(tuple(target(name) for name in names), Slot.KEY2) == expected
