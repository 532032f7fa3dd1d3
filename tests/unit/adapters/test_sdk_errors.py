"""Azure's answers as errors of the domain: what may be repeated, and what a person must change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from aiohttp import ClientConnectorError
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
)
from azure.core.rest import HttpRequest

from emulator.core.wire import Headers, Response
from emulator.sdk.messages import rest
from rotation.adapters.sdk_errors import code_of, failure
from rotation.domain.errors import Permanent, RotationError, Transient, Unknown

OID = "11111111-2222-3333-4444-555555555555"
REFUSED = ClientConnectorError(None, OSError("refused"))  # type: ignore[arg-type]


def answered(
    status: int,
    code: object = "Code",
    message: str = "text",
    *,
    inner: object = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponseError:
    error = {"code": code, "message": message}
    if inner is not None:
        error["innererror"] = inner
    body = Response.of_json(status, {"error": error})
    for name, text in (headers or {}).items():
        body.headers[name] = text
    return HttpResponseError(response=rest(HttpRequest("GET", "https://x"), body, False))


@pytest.mark.parametrize(
    ("status", "code", "usual", "with_effect"),
    [
        (202, "Accepted", Permanent, Unknown),
        (302, "Found", Permanent, Unknown),
        (400, "BadParameter", Permanent, Permanent),
        (401, "Unauthorized", Transient, Transient),
        (403, "AuthorizationFailed", Permanent, Permanent),
        (404, "SecretNotFound", Permanent, Permanent),
        (408, "Timeout", Transient, Unknown),
        (409, "Other", Permanent, Permanent),
        (409, "Conflict", Transient, Transient),
        (409, "RequestConflict", Transient, Transient),
        (409, "ObjectIsBeingDeleted", Transient, Transient),
        (409, "AccountProvisioningStateInvalid", Transient, Transient),
        (412, "Changed", Transient, Transient),
        (423, "Locked", Transient, Transient),
        (425, "Early", Transient, Transient),
        (429, "Throttled", Transient, Transient),
        (499, "Other", Permanent, Permanent),
        (500, "InternalError", Transient, Unknown),
        (503, "Busy", Transient, Unknown),
    ],
)
def test_an_answer_is_final_temporary_or_after_an_effect_unknown(
    status: int, code: str, usual: type[RotationError], with_effect: type[RotationError]
) -> None:
    for effect, expected in ((False, usual), (True, with_effect)):
        found = failure(answered(status, code), "do it", effect=effect)
        assert type(found) is expected
        assert found.code == code
        assert str(found) == f"do it: {status} {code}: text"


@pytest.mark.parametrize(
    ("exc", "usual", "with_effect", "code"),
    [
        (ServiceRequestError("m"), Transient, Unknown, "NoAnswer"),
        (ServiceRequestError("m", error=REFUSED), Transient, Transient, "Unreachable"),
        (ServiceRequestTimeoutError("m"), Transient, Transient, "Unreachable"),
        (ServiceResponseError("m"), Transient, Unknown, "NoAnswer"),
        (ServiceResponseError("m", error=REFUSED), Transient, Unknown, "NoAnswer"),
        (HttpResponseError("m"), Transient, Unknown, "NoAnswer"),
        (ValueError("a key"), Transient, Unknown, "Unreadable"),
        (KeyError("a key"), Transient, Unknown, "Unreadable"),
    ],
)
def test_a_lost_answer_is_unknown_only_if_the_request_may_have_had_its_effect(
    exc: Exception, usual: type[RotationError], with_effect: type[RotationError], code: str
) -> None:
    found = failure(exc, "do it")
    assert type(found) is usual
    assert found.code == ("Unreadable" if code == "Unreadable" else "Unreachable")
    found = failure(exc, "do it", effect=True)
    assert (type(found), found.code) == (with_effect, code)
    assert str(found).startswith("do it: ")
    assert "a key" not in str(found)


@pytest.mark.parametrize("has_endpoint", [True, False])
def test_without_a_token_the_service_itself_fails(
    monkeypatch: pytest.MonkeyPatch, has_endpoint: bool
) -> None:
    monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
    if has_endpoint:
        monkeypatch.setenv("IDENTITY_ENDPOINT", "http://localhost")
    found = failure(ClientAuthenticationError("m"), "do it")
    assert found.of_service
    assert (type(found), found.code) == (
        (Transient, "NoToken") if has_endpoint else (Permanent, "NoIdentity")
    )


@pytest.mark.parametrize(
    ("code", "inner", "expected"),
    [
        ("Forbidden", {"code": "ForbiddenByRbac"}, "ForbiddenByRbac"),
        ("Forbidden", {}, "Forbidden"),
        ("Forbidden", {"code": None}, "Forbidden"),
        ("Forbidden", "text", "Forbidden"),
        ("Forbidden", None, "Forbidden"),
        ("a" * 64, None, "a" * 64),
        ("a" * 65, None, "HTTP403"),
        ("a_1.-" * 4 + "abc", None, "a_1.-" * 4 + "abc"),
        ("a_1.-" * 4 + "abcd", None, "HTTP403"),
        ("not a word", None, "HTTP403"),
        (None, None, "HTTP403"),
    ],
)
def test_the_innermost_code_counts_if_it_is_a_word(
    code: object, inner: object, expected: str
) -> None:
    assert code_of(answered(403, code, inner=inner)) == expected


def test_an_answer_without_a_body_has_its_status_as_code() -> None:
    body = Response(502, Headers(), b"<html>")
    exc = HttpResponseError(response=rest(HttpRequest("GET", "https://x"), body, False))
    found = failure(exc, "do it")
    assert found.code == "HTTP502"
    assert str(found).startswith("do it: 502 HTTP502: ")


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("BadRequest", "the property DisableLocalAuth is true", "LocalAuthDisabled"),
        ("BadRequest", "something else", "BadRequest"),
        ("Other", "the property disableLocalAuth is true", "Other"),
        ("ForbiddenByPolicy", "the user does not have secrets get permission", "AccessDenied"),
        ("ForbiddenByPolicy", "a policy refuses it", "ForbiddenByPolicy"),
        ("Forbidden", "the user does not have secrets get permission", "Forbidden"),
    ],
)
def test_codes_with_two_meanings_are_told_apart(code: str, message: str, expected: str) -> None:
    assert failure(answered(403, code, message), "do it").code == expected


@pytest.mark.parametrize("code", ["AuthorizationFailed", "ForbiddenByRbac"])
def test_a_refusal_names_the_action_and_the_identity(code: str) -> None:
    action = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    for who in (f"object id '{OID}'", f"Caller: appid=x;oid={OID};"):
        found = failure(answered(403, code, f"{who} may not perform\n action '{action}'"), "do it")
        assert str(found) == (
            f"do it: 403 {code}: {action} is not allowed to the identity with object id {OID}"
        )
    found = failure(answered(403, code, f"Action: '{action}'"), "do it")
    assert str(found) == f"do it: 403 {code}: {action} is not allowed"


def test_other_answers_keep_their_text_without_what_could_be_a_key() -> None:
    action = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    found = failure(answered(403, "Forbidden", f"no  action '{action}'\n" + "0af1" * 8), "do it")
    assert str(found).startswith("do it: 403 Forbidden: no action '")
    assert "0af1" not in str(found)
    found = failure(answered(403, "AuthorizationFailed", "no reason"), "do it")
    assert str(found) == "do it: 403 AuthorizationFailed: no reason"


def test_a_long_text_is_cut() -> None:
    found = failure(answered(400, "Code", "a b " * 200), "do it")
    assert str(found) == "do it: 400 Code: " + ("a b " * 200)[:300]


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AuthorizationFailed", "Key rotator"),
        ("ForbiddenByRbac", "Secret publisher"),
        ("ScopeLocked", "lock"),
        ("ResourceNotFound", "ProviderAddress"),
        ("Other", "retries"),
    ],
)
def test_a_final_answer_has_a_remedy(code: str, remedy: str) -> None:
    found = failure(answered(403, code), "do it")
    assert isinstance(found, Permanent)
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "3600"}, 3600),
        ({"Retry-After": "3601"}, 3600),
        ({"Retry-After": "Sat, 28 Nov 2026 12:00:00 GMT"}, None),
    ],
)
def test_the_wait_that_azure_asks_for_is_kept_up_to_an_hour(
    headers: dict[str, str], seconds: int | None
) -> None:
    found = failure(answered(429, headers=headers), "do it")
    assert isinstance(found, Transient)
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert found.retry_after == expected


def test_an_answer_that_has_no_headers_asks_for_no_wait() -> None:
    exc = HttpResponseError("m")
    exc.status_code = 503
    found = failure(exc, "do it")
    assert isinstance(found, Transient)
    assert (found.code, found.retry_after) == ("HTTP503", None)
