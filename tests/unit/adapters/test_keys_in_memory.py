"""A service's text shows no part of a key that is in memory."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.core.rest._http_response_impl import HttpResponseImpl

from emulator.core.wire import Response
from emulator.sdk.messages import rest
from rotation.adapters import keys_in_memory, sdk_errors

VALUE = "q7Rk2mVx9TzLp4Ns8WbYc3Hd6Jf1Ga5E"
OTHER = "b" * 8 + "0123456789abcdef01234567"


def error(code: str, message: str) -> HttpResponseError:
    body = Response.of_json(400, {"error": {"code": code, "message": message}})
    response: HttpResponseImpl = rest(HttpRequest("GET", "https://x"), body, False)
    found = HttpResponseError(response=response)
    assert found.error is not None
    return found


@pytest.mark.parametrize("length", [8, 9, 23, 32])
def test_a_part_of_a_key_is_hidden_in_the_message_and_in_the_code(length: int) -> None:
    key = keys_in_memory.key(VALUE)
    part = key.reveal()[-length:]
    for exc in (error("BadParameter", f"value '{part}'"), error(part, "x")):
        found = sdk_errors.failure(exc, "read account q7Rk2mVx")
        assert part not in f"{found} {found.code} {found.advice}"
        assert str(found).startswith("read account q7Rk2mVx: 400 "), "our own words stay"


def test_a_refusal_that_quotes_a_part_of_a_key_hides_it() -> None:
    key = keys_in_memory.key("abcdefghijklmnopqrstuvwxyzabcdefghij")
    text = "may not perform action 'Microsoft.X/abcdefghijkl'"
    assert "abcdefgh" not in str(sdk_errors.failure(error("AuthorizationFailed", text), "read"))
    del key


def test_a_key_that_has_left_memory_is_not_looked_for() -> None:
    first, second = keys_in_memory.key(OTHER), keys_in_memory.key(OTHER)
    del first
    assert keys_in_memory.hide_known("bbbbbbbb") == "…", "an equal key is still there"
    del second
    assert keys_in_memory.hide_known("bbbbbbbb") == "bbbbbbbb"


def test_other_secrets_remove_no_words() -> None:
    word = keys_in_memory.key("the resource id of an account, written as a secret")
    assert keys_in_memory.hide_known("the resource id") == "the resource id"
    del word


@pytest.mark.parametrize(
    "code", ["AccountProvisioningStateInvalid", "ObjectIsDeletedButRecoverable", "401"]
)
def test_codes_are_kept(code: str) -> None:
    assert sdk_errors.code_of(error(code, json.dumps("x"))) == code
