"""The probe of an account: configured for it, for its kind, or chosen by its endpoints."""

from __future__ import annotations

import pytest

from rotation.domain import probe_calls as calls
from rotation.domain import probe_choice
from rotation.domain.account import Account
from rotation.domain.cloud import PUBLIC
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


OWN = "https://acct.cognitiveservices.azure.com/"
SHARED = "https://api.cognitive.microsofttranslator.com/"
OPENAI = {calls.OPENAI.api: "https://acct.openai.azure.com/"}


def _chosen(kind: str, endpoint: str = OWN, **endpoints: str) -> probe_choice.Choice:
    return probe_choice.choose(_account(kind, endpoint, endpoints), PUBLIC, {})


def _account(kind: str, endpoint: str, endpoints: dict[str, str]) -> Account:
    return Account(ACCOUNT, kind, endpoint, endpoints=endpoints)


def test_an_account_is_tried_at_the_endpoint_of_the_api_or_at_its_own() -> None:
    assert _chosen("AIServices", **OPENAI).url == "https://acct.openai.azure.com/"
    assert _chosen("OpenAI").url == OWN


def test_without_the_openai_endpoint_a_token_is_asked_for() -> None:
    assert _chosen("AIServices", **OPENAI).call is calls.OPENAI
    assert _chosen("AIServices").call is calls.TOKEN
    assert _chosen("openai").call is calls.OPENAI


def test_only_the_host_that_all_translators_share_needs_their_own_probe() -> None:
    assert _chosen("TextTranslation", SHARED).call is calls.TRANSLATOR
    assert _chosen("TextTranslation").call is calls.TOKEN
    assert _chosen("TextTranslation", SHARED, **{calls.TOKEN.api: OWN}).call is calls.TOKEN
    assert _chosen("Face", SHARED).call is calls.FACE


@pytest.mark.parametrize("endpoint", ["", "acct", "https://[", "https://[x]/"])
def test_an_endpoint_without_a_host_is_not_the_shared_one(endpoint: str) -> None:
    assert _chosen("TextTranslation", endpoint).call is calls.TOKEN


def test_a_setting_for_the_account_wins_over_one_for_its_kind() -> None:
    both: probe_choice.Overrides = {ACCOUNT: calls.FACE, "openai": calls.VISION}
    account = _account("OpenAI", OWN, {})
    assert probe_choice.choose(account, PUBLIC, both) == probe_choice.Choice(calls.FACE, OWN, True)
    of_kind = probe_choice.choose(account, PUBLIC, {"openai": calls.VISION})
    assert of_kind == probe_choice.Choice(calls.VISION, OWN, True)
    assert not probe_choice.choose(account, PUBLIC, {}).is_configured
