"""The caller that App Service's header or a function key identifies, and its roles."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from rotation.domain.access import Caller, Role
from rotation.web.authentication import HEADER, MAX_NAME, NAME_HEADER, AuthMethods, authenticate
from rotation.web.requests import HttpRequest

ENTRA = AuthMethods(platform=True, function_keys=False)
KEYS = AuthMethods(platform=False, function_keys=True)
BOTH = AuthMethods(platform=True, function_keys=True)
LONG = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
READ = {"typ": "roles", "val": "Rotation.Read"}


def header(claims: Any, **more: Any) -> str:
    found = {"auth_typ": "aad", "claims": claims, **more}
    return base64.b64encode(json.dumps(found).encode()).decode()


def caller(value: str, methods: AuthMethods = ENTRA, **headers: str) -> Caller | None:
    sent = {HEADER: value} if value else {}
    request = HttpRequest("GET", "https://app/api/fleet", {**sent, **headers}, {}, {}, b"")
    return authenticate(request, methods, "call-1")


def roles(claims: Any, **more: Any) -> set[Role]:
    found = caller(header(claims, **more))
    assert found is not None
    return set(found.roles)


@pytest.mark.parametrize("name", ["roles", "role", LONG])
def test_a_role_claim_gives_its_role(name: str) -> None:
    assert roles([{"typ": name, "val": "Rotation.Read"}]) == {Role.READ}


@pytest.mark.parametrize("name", ["name", "groups", "scp", "Roles", ""])
def test_a_role_in_any_other_claim_gives_nothing(name: str) -> None:
    """A user chooses the name; a role must come from a claim that only Entra ID issues."""
    assert roles([{"typ": name, "val": "Rotation.Emergency"}]) == set()


def test_the_header_may_name_the_claim_of_the_roles() -> None:
    custom = [{"typ": "app-roles", "val": "Rotation.Operate"}]
    assert roles(custom, role_typ="app-roles") == {Role.OPERATE}
    assert roles(custom) == set()


def test_an_empty_claim_type_gives_no_role() -> None:
    assert roles([{"typ": "", "val": "Rotation.Read"}], role_typ="") == set()


def test_an_unknown_role_gives_nothing_and_takes_nothing() -> None:
    assert roles([READ, {"typ": "roles", "val": "Rotation.Admin"}]) == {Role.READ}


@pytest.mark.parametrize(
    "claims",
    [
        *(None, {}, "roles", [None], ["roles"]),
        *([{"typ": "roles"}], [{"typ": "name", "val": 2}], [{"typ": ["roles"], "val": "n"}]),
        [{"typ": "roles", "val": ["Rotation.Read"]}],
    ],
)
def test_claims_in_another_form_give_no_role(claims: Any) -> None:
    assert roles(claims) == set()


@pytest.mark.parametrize(
    "value",
    ["%%%", "bm8ganNvbg==", base64.b64encode(b"[]").decode(), header([], auth_typ="github")],
)
def test_a_header_that_is_not_from_entra_id_is_rejected(value: str) -> None:
    assert caller(value) is None
    assert caller(value, BOTH) is None, "nor is it taken for a function key"


@pytest.mark.parametrize("value", ["!" + header([READ]), base64.b64encode(b"[" * 99999).decode()])
def test_a_malformed_header_is_rejected_whole(value: str) -> None:
    assert caller(value) is None


def test_the_header_is_not_believed_without_app_service_authentication() -> None:
    found = caller(header([READ]), KEYS)
    assert found is not None
    assert found.by_key


def test_without_the_header_only_a_function_key_lets_a_caller_in() -> None:
    assert caller("") is None
    assert caller("", BOTH) == Caller("function key", frozenset(Role), "call-1", by_key=True)


def test_a_person_is_never_taken_for_a_function_key() -> None:
    found = caller(header([READ]), BOTH)
    assert found is not None
    assert not found.by_key
    assert found.call == "call-1"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"preferred_username": "ana@x", "upn": "other", "name": "Ana"}, "ana@x"),
        ({"name": "Ana", "appid": "app"}, "Ana"),
        ({"appid": "app"}, "app"),
        ({"preferred_username": ""}, "from-header"),
        ({"name": "A\nna"}, "Ana"),
        ({"name": "n" * 200}, "n" * MAX_NAME),
    ],
)
def test_the_audit_trail_gets_a_name(claims: dict[str, str], expected: str) -> None:
    listed = [{"typ": name, "val": value} for name, value in reversed(claims.items())]
    found = caller(header(listed), ENTRA, **{NAME_HEADER: "from-header"})
    assert found is not None
    assert found.name == expected


def test_without_any_name_the_caller_is_unnamed() -> None:
    found = caller(header([READ]))
    assert found is not None
    assert found.name == "unnamed"
