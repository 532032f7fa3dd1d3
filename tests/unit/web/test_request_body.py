"""A person's request: every bad field named, nothing else accepted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain.record import Leaked
from rotation.service import requests
from rotation.web import request_body

VAULTS = ("https://kv-a.vault.azure.net",)
SECRET = {"vault": "kv-a", "secret": "aoai-key", "reason": "leaked in a chat"}


def parse(fields: Any, **headers: str) -> requests.RotationRequest:
    return request_body.parse(json.dumps(fields).encode(), headers, VAULTS, "somebody")


def test_a_secret_is_named_by_vault_and_name() -> None:
    request = parse(SECRET)
    assert request.secret is not None
    assert str(request.secret) == "https://kv-a.vault.azure.net/secrets/aoai-key"
    assert request.leaked is Leaked.NONE


def test_an_emergency_says_which_key_leaked_and_may_ask_for_an_overlap() -> None:
    request = parse(SECRET | {"leaked": "Key1", "overlap": "PT5M"})
    assert request.leaked is Leaked.KEY1
    assert request.overlap == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "reason"),
        ({"reason": "x"}, "name vault and secret, or account, or vault"),
        (SECRET | {"reason": ""}, "reason"),
        (SECRET | {"vault": "kv-b"}, "not configured"),
        (SECRET | {"secret": "a/b"}, "secret's name"),
        (SECRET | {"leaked": "both"}, "key1, key2, unknown or none"),
        (SECRET | {"overlap": "PT0S"}, "only an emergency"),
        (SECRET | {"reason": "leaked: " + "0123abcd" * 4}, "seems to hold a key"),
        (SECRET | {"leaked": "key1", "overlap": "soon"}, "overlap"),
        (SECRET | {"surprise": 1}, "surprise: unknown"),
        ({"account": "aoai", "reason": "x"}, "resource id"),
        ({"account": 3, "reason": "x"}, "write a string"),
        ([], "no JSON object"),
    ],
)
def test_a_bad_field_is_named(fields: Any, says: str) -> None:
    with pytest.raises(request_body.BadRequest, match=says):
        parse(fields)


def test_a_body_beyond_the_limit_is_not_read() -> None:
    with pytest.raises(request_body.BadRequest, match="larger"):
        request_body.parse(b" " * 10_000, {}, VAULTS, "somebody")


@given(st.binary(max_size=200))
def test_no_body_raises_anything_else(body: bytes) -> None:
    with pytest.raises(request_body.BadRequest):
        request_body.parse(body, {}, VAULTS, "somebody")
