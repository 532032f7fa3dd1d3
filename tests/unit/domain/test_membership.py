"""A value that has the form of a key could be one; everything else is somebody's own."""

from __future__ import annotations

import pytest

from rotation.domain.keys import Key, Keys
from rotation.domain.membership import has_key_shape

PLAIN = Keys(Key("x" * 84), Key("y" * 84))
HYPHENS = Keys(Key("ab-cd"), Key("x" * 32))


@pytest.mark.parametrize(
    ("value", "keys", "expected"),
    [
        ("a" * 32, PLAIN, True),
        ("Z9" * 42, PLAIN, True),
        (" " + "a" * 32 + "\n", PLAIN, True),
        ("a" * 31, PLAIN, False),
        ("a" * 33, PLAIN, False),
        ("a" * 83, PLAIN, False),
        ("a" * 85, PLAIN, False),
        ("a" * 31 + "-", PLAIN, False),
        ("a" * 83 + "é", PLAIN, False),
        ("", PLAIN, False),
        ("AB-12", HYPHENS, True),
        ("abcde", HYPHENS, True),
        ("ab_cd", HYPHENS, False),
        ("ab-cde", HYPHENS, False),
        ("ab-c", HYPHENS, False),
        ("ab-cé", HYPHENS, False),
        ("AB-12", Keys(HYPHENS.key2, HYPHENS.key1), True),
    ],
)
def test_only_the_usual_forms_and_those_of_the_account_are_keys(
    value: str, keys: Keys, expected: bool
) -> None:
    assert has_key_shape(Key(value), keys) is expected
