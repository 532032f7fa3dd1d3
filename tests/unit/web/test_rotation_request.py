"""Parsing a rotation request: every invalid field is reported."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain.request import Leaked
from rotation.service import requests
from rotation.web import rotation_request
from rotation.web.errors import BadRequest

VAULTS = ("https://kv-a.vault.azure.net",)
SECRET = {"vault": "kv-a", "secret": "aoai-key", "reason": "leaked in a chat"}


def parse(fields: Any, **headers: str) -> requests.RotationRequest:
    return rotation_request.parse(json.dumps(fields).encode(), headers, VAULTS, "somebody")


def test_a_vault_and_a_name_identify_a_secret() -> None:
    request = parse(SECRET)
    assert request.secret is not None
    assert str(request.secret) == "https://kv-a.vault.azure.net/secrets/aoai-key"
    assert request.leaked is Leaked.NONE


def test_an_emergency_has_a_leaked_key_and_may_have_an_overlap() -> None:
    request = parse(SECRET | {"leaked": "Key1", "overlap": "PT5M"})
    assert request.leaked is Leaked.KEY1
    assert request.overlap == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "reason"),
        ({"reason": "x"}, "name either vault and secret, or account, or vault"),
        (SECRET | {"reason": ""}, "reason"),
        (SECRET | {"vault": "kv-b"}, "not configured"),
        (SECRET | {"secret": "a/b"}, "secret: not a valid"),
        (SECRET | {"leaked": "both"}, "key1, key2, unknown or none"),
        (SECRET | {"overlap": "PT0S"}, "only in an emergency"),
        (SECRET | {"reason": "leaked: " + "0123abcd" * 4}, "seems to contain a key"),
        (SECRET | {"leaked": "key1", "overlap": "soon"}, "overlap"),
        (SECRET | {"surprise": 1}, "surprise: unknown"),
        (SECRET | {"drill": True}, "drill: only with a leaked key"),
        (SECRET | {"drill": True, "leaked": "unknown"}, "drill: only with a leaked key"),
        (SECRET | {"drill": True, "leaked": "key1", "force": True}, "force: not in a drill"),
        (SECRET | {"drill": 1, "leaked": "key1"}, "drill: must be true or false"),
        ({"vault": "kv-a", "reason": "x", "drill": True, "leaked": "key1"}, "drill: name a secret"),
        ({"account": "aoai", "reason": "x"}, "resource id"),
        ({"account": 3, "reason": "x"}, "must be a string"),
        ([], "not a JSON object"),
    ],
)
def test_an_invalid_field_is_reported(fields: Any, problem: str) -> None:
    with pytest.raises(BadRequest, match=problem):
        parse(fields)


def test_a_body_over_the_limit_is_not_parsed() -> None:
    with pytest.raises(BadRequest, match="larger"):
        rotation_request.parse(b" " * 10_000, {}, VAULTS, "somebody")


@given(st.binary(max_size=200))
def test_an_invalid_body_raises_only_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        rotation_request.parse(body, {}, VAULTS, "somebody")
