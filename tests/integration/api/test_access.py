"""Access to every endpoint by every kind of caller, and protection against cross-site requests."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rotation import web
from rotation.domain.access import Role
from rotation.domain.ids import AccountId
from rotation.service.service import Service
from rotation.settings.environment import access
from rotation.web.authentication import HEADER, AuthMethods
from rotation.web.requests import HttpRequest
from rotation.web.responses import Response
from rotation.web.routes import ROUTES, Route
from tests.integration.wire.product import playground, product

ENTRA = AuthMethods(platform=True, function_keys=False)
KEYS = AuthMethods(platform=False, function_keys=True)
NEITHER = AuthMethods(platform=False, function_keys=False)
ACCOUNT = AccountId("11111111-1111-1111-1111-111111111111", "rg-keys", "aoai-demo")
GUARDED = [route for route in ROUTES if route.role]
LONG = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
BODY = {"vault": "kv-demo", "secret": "ai-key", "reason": "r"}
PARAMS = {"id": "0123456789abcdef-12", "answer": "resume", "vault": "kv-demo", "secret": "ai-key"}
PARAMS |= {"hold": "pause", "slug": "0" * 16}


def principal(*roles: str, typ: str = "roles", auth: str = "aad", **claims: str) -> str:
    """Return the header as App Service sends it."""
    listed = [{"typ": typ, "val": role} for role in roles]
    listed += [{"typ": name, "val": value} for name, value in claims.items()]
    found = {"auth_typ": auth, "claims": listed, "name_typ": "name", "role_typ": LONG}
    return base64.b64encode(json.dumps(found).encode()).decode()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with product(playground(), str(tmp_path)) as made:
        yield made.service


async def call(
    service: Service, route: Route, methods: AuthMethods, headers: Mapping[str, str], **fields: Any
) -> Response:
    body = json.dumps(fields or ({"reason": "r"} if "{" in route.path else BODY)).encode()
    url = f"https://app.azurewebsites.net/api/{route.path}"
    request = HttpRequest(route.method, url, headers, PARAMS, {}, body)
    return await web.serve(route, request, methods, lambda: service)


def named(name: str) -> Route:
    return next(route for route in ROUTES if route.name == name)


def wider(role: Role | None) -> list[Role]:
    """Return the role and each wider one."""
    order = list(Role)
    return order[order.index(role) :] if role else order


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
class TestEveryGuardedEndpoint:
    async def test_rejects_an_anonymous_caller(self, service: Service, route: Route) -> None:
        assert (await call(service, route, ENTRA, {})).status == 401

    async def test_rejects_everyone_if_no_method_is_enabled(
        self, service: Service, route: Route
    ) -> None:
        headers = {HEADER: principal(*Role), "x-functions-key": "anything"}
        assert (await call(service, route, NEITHER, headers)).status == 401

    async def test_rejects_a_principal_without_a_role(self, service: Service, route: Route) -> None:
        for header in (principal(), principal("Reader", "rotation.emergency", "Rotation")):
            answer = await call(service, route, ENTRA, {HEADER: header})
            assert answer.status == 403
            assert str(route.role) in answer.body

    async def test_rejects_each_narrower_role(self, service: Service, route: Route) -> None:
        for role in set(Role) - set(wider(route.role)):
            assert (await call(service, route, ENTRA, {HEADER: principal(role)})).status == 403

    @pytest.mark.parametrize("typ", ["roles", LONG])
    async def test_admits_the_role_and_each_wider_one(
        self, service: Service, route: Route, typ: str
    ) -> None:
        for role in wider(route.role):
            answer = await call(service, route, ENTRA, {HEADER: principal(role, typ=typ)})
            assert answer.status not in (401, 403, 500), answer.body

    async def test_ignores_a_forged_header_if_app_service_authentication_is_off(
        self, service: Service, route: Route
    ) -> None:
        """The function key alone identifies the caller."""
        answer = await call(service, route, KEYS, {HEADER: principal(name="the boss")})
        assert answer.status not in (401, 403)
        record = (await service.queries.journal.load(ACCOUNT))[0]
        assert all(request.requester == "function key" for request in record.requests)

    async def test_rejects_a_malformed_principal(self, service: Service, route: Route) -> None:
        wrong = ["", "{}", "AAAA", "!!", base64.b64encode(b"[1]").decode(), "e30="]
        wrong += [principal("Rotation.Emergency", auth="github")]
        for header in wrong:
            assert (await call(service, route, ENTRA, {HEADER: header})).status in (401, 403)

    async def test_admits_a_function_key_if_enabled(self, service: Service, route: Route) -> None:
        assert (await call(service, route, KEYS, {})).status not in (401, 403, 500)


async def test_health_needs_no_role_and_reveals_nothing_else(service: Service) -> None:
    answer = await call(service, named("health"), NEITHER, {})
    assert answer.status == 503
    assert set(json.loads(answer.body)) == {"status", "lastSweepAgeSeconds"}


@pytest.mark.parametrize(
    "more",
    [
        {"vault": "kv-demo", "secret": "ai-key", "leaked": "key1"},
        {"vault": "kv-demo", "secret": "ai-key", "leaked": "unknown", "dry_run": True},
        {"vault": "kv-demo"},
        {"all": True, "confirm": 1},
    ],
)
async def test_an_emergency_or_several_accounts_need_the_widest_role(
    service: Service, more: dict[str, Any]
) -> None:
    route, body = named("request_rotation"), {"reason": "r", **more}
    operator = {HEADER: principal(Role.OPERATE)}
    assert (await call(service, route, ENTRA, operator, **body)).status == 403
    emergency = {HEADER: principal(Role.EMERGENCY)}
    assert (await call(service, route, ENTRA, emergency, **body)).status in (200, 202)


async def test_a_function_key_cannot_rotate_everything(service: Service) -> None:
    route, body = named("request_rotation"), {"all": True, "confirm": 1, "reason": "r"}
    assert (await call(service, route, KEYS, {}, **body)).status == 403
    assert (await call(service, route, KEYS, {}, **body | {"dry_run": True})).status == 200


async def test_the_requester_role_and_request_id_are_stored(service: Service) -> None:
    header = principal(Role.EMERGENCY, preferred_username="ada@contoso.com")
    headers = {HEADER: header, "X-Request-Id": "call-7"}
    made = json.loads((await call(service, named("request_rotation"), ENTRA, headers)).body)
    found = await service.queries.status(made["id"])
    assert found
    kept = (found.requester, found.role, found.request_id)
    assert kept == ("ada@contoso.com", "Rotation.Emergency", "call-7")


async def test_an_application_is_recorded_by_its_id(service: Service) -> None:
    headers = {HEADER: principal(Role.OPERATE, azp="ffffffff-0000-4000-8000-0000000000aa")}
    made = json.loads((await call(service, named("request_rotation"), ENTRA, headers)).body)
    found = await service.queries.status(made["id"])
    assert found
    assert found.requester == "ffffffff-0000-4000-8000-0000000000aa"


HOST = {"Host": "app.azurewebsites.net"}
OWN = {"Origin": "https://app.azurewebsites.net", "Sec-Fetch-Site": "same-origin"} | HOST


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OWN | {"X-Rotation-Request": "1"}, 202),
        (OWN, 403),
        (OWN | {"X-Rotation-Request": "1", "Origin": "https://evil.example"}, 403),
        (OWN | {"X-Rotation-Request": "1", "Sec-Fetch-Site": "same-site"}, 403),
        (OWN | {"X-Rotation-Request": "1", "Origin": "null"}, 403),
        ({"Cookie": "AppServiceAuthSession=x"} | HOST, 403),
        (HOST, 202),
    ],
)
async def test_a_browser_request_that_changes_state_must_pass_the_csrf_check(
    service: Service, headers: dict[str, str], status: int
) -> None:
    given = headers | {HEADER: principal(Role.EMERGENCY)}
    assert (await call(service, named("request_rotation"), ENTRA, given)).status == status


async def test_every_response_has_a_request_id_and_strict_headers(service: Service) -> None:
    for given, shown in (("abc-1", "abc-1"), ("x\r\nSet-Cookie: a", None), ("", None)):
        answer = await call(service, named("health"), NEITHER, {"X-Request-Id": given})
        assert shown in (None, answer.headers["X-Request-Id"])
        assert "\r" not in answer.headers["X-Request-Id"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("environment", "methods"),
    [
        ({}, (False, True)),
        ({"WEBSITE_SITE_NAME": "app"}, (False, False)),
        ({"WEBSITE_SITE_NAME": "app", "WEBSITE_AUTH_ENABLED": "True"}, (True, False)),
        ({"WEBSITE_SITE_NAME": "app", "WEBSITE_AUTH_ENABLED": "False"}, (False, False)),
        ({"WEBSITE_SITE_NAME": "app", "ROTATION_FUNCTION_KEYS": "true"}, (False, True)),
        ({"ROTATION_FUNCTION_KEYS": "false"}, (False, False)),
        ({"ROTATION_FUNCTION_KEYS": "yes"}, (False, False)),
    ],
)
def test_the_environment_enables_the_authentication_methods(
    environment: dict[str, str], methods: tuple[bool, bool]
) -> None:
    assert access(environment) == methods


async def test_an_oversized_body_is_rejected_before_it_is_parsed(service: Service) -> None:
    fields = {"reason": "x" * 9000}
    answer = await call(service, named("request_rotation"), KEYS, {}, **fields)
    assert answer.status == 413
