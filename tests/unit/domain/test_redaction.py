"""Redaction hides keys and their parts, and leaves ids and advice as they are."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain.bindings import EXAMPLE
from rotation.domain.ids import AccountId
from rotation.domain.redaction import FRAGMENT, redact, without_keys

KEY = "7QxZ" * 7 + "9f3b1c0aE2d4B6m8K1n5p7r9T2v4X6z8a0C3e5G7i9L1o3Q5s7U9w1"
KEYS = st.text(string.ascii_letters + string.digits, min_size=32, max_size=84)
ID = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-keys"
    "/providers/Microsoft.CognitiveServices/accounts/aoai-demo"
)


@pytest.mark.parametrize(
    "text", [ID, EXAMPLE, f"write {ID}", "0123456789abcdef-0123456789ab", "rotate at 2026-11-23"]
)
def test_ids_and_examples_are_left_as_they_are(text: str) -> None:
    assert redact(text) == text
    assert without_keys(text, [KEY]) == text


def test_advice_about_a_wrong_id_keeps_the_example() -> None:
    with pytest.raises(ValueError, match="is not the resource id") as caught:
        AccountId.parse("x")
    assert redact(str(caught.value)) == str(caught.value)


@pytest.mark.parametrize("text", [KEY, KEY[:32], f"accounts/{KEY}", "a" * 24, "Ab+/" * 6 + "=="])
def test_what_could_be_a_key_is_hidden(text: str) -> None:
    assert redact(f"x {text} y") == "x … y"


@given(KEYS, st.data())
def test_no_part_of_a_known_key_is_left(key: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(key) - FRAGMENT))
    end = data.draw(st.integers(start + FRAGMENT, len(key)))
    part = key[start:end]
    part = part.swapcase() if data.draw(st.booleans()) else part
    shown = without_keys(f"the value '{part}' is not valid", [key])
    assert part not in shown
    assert shown.startswith("the value '")
    parts = {key[at : at + FRAGMENT].lower() for at in range(len(key) - FRAGMENT + 1)}
    assert not any(one in shown.lower() for one in parts)


@given(st.text())
def test_a_text_without_a_part_of_the_key_is_not_changed(text: str) -> None:
    assert without_keys(text, ["0f" * 42]) == text or "0f0f0f0f" in text.lower()
