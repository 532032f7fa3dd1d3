"""The probe of an account: configured for it, for its kind, or chosen by its endpoints."""

from __future__ import annotations

import pytest

from rotation.domain import probe_choice
from rotation.domain.ids import AccountId
from rotation.domain.probe_calls import CALLS

ACCOUNT = AccountId("s-1", "rg", "acct")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" , ", {}),
        ("OpenAI=token", {"openai": "token"}),
        (
            " Bing.Search.v7 = token , openai=vision-models",
            {"bing.search.v7": "token", "openai": "vision-models"},
        ),
        (f"{ACCOUNT}=token", {ACCOUNT: "token"}),
        (f"{ACCOUNT}=token,Face=vision-models", {ACCOUNT: "token", "face": "vision-models"}),
    ],
)
def test_probes_are_chosen_by_kind_or_account(
    text: str, expected: dict[AccountId | str, str]
) -> None:
    assert probe_choice.parse(text) == {name: CALLS[call] for name, call in expected.items()}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("OpenAI", "entry 1 does not end"),
        ("OpenAI=", "entry 1 does not end"),
        ("OpenAI=none", "entry 1 does not end"),
        ("OpenAI=token,,Face=none", "entry 2 does not end"),
        ("=token", "entry 1 does not begin with a kind"),
        ("Open AI=token", "entry 1 does not begin with a kind"),
        ("größe=token", "entry 1 does not begin with a kind"),
        ("OpenAI=token,...=token", "entry 2 does not begin with a kind"),
        ("/subscriptions/s=token", "entry 1 does not begin with an account"),
    ],
)
def test_a_wrong_entry_is_told_by_its_number(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        probe_choice.parse(text)
