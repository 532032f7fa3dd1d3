"""The rule for each kind of account."""

from __future__ import annotations

import pytest

from rotation.domain import probe_calls as calls
from rotation.domain.kinds import KINDS, Kind, kind_of


@pytest.mark.parametrize("name", ["OpenAI", "openai", "OPENAI"])
def test_a_kind_is_found_in_any_case(name: str) -> None:
    assert kind_of(name).call is calls.OPENAI


def test_an_unknown_kind_gets_the_general_proof() -> None:
    assert kind_of("Future") == Kind("Future", calls.GENERAL)
    assert not kind_of("Future").is_retired


def test_a_retired_kind_gets_the_general_proof_and_is_marked() -> None:
    assert kind_of("Bing.Search") == Kind("Bing.Search", calls.GENERAL, is_retired=True)


def test_what_a_general_proof_leaves_open_is_told() -> None:
    assert "prediction is billed" in kind_of("LUIS").leaves_open


def test_every_kind_has_one_rule() -> None:
    assert all(kind_of(kind.name) is kind for kind in KINDS.values())
