"""Principals with role assignments, and the managed identity endpoint of App Service.

Tokens look like JWTs but are not signed; services check their audience and expiry.
"""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .clock import Clock
from .roles import ROLES, Role
from .wire import Request, Response

TENANT = "22222222-2222-2222-2222-222222222222"
LIFETIME = timedelta(hours=24)
API_VERSION = "2019-08-01"


@dataclass
class Principal:
    """A managed identity or a person. ``assignments`` are pairs of scope and role."""

    name: str
    object_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    resource_id: str = ""
    assignments: list[tuple[str, Role]] = field(default_factory=list)

    def assign(self, role: Role | str, scope: str) -> Principal:
        """Grant a role on a scope, an ARM id, and everything below it; "/" is everything."""
        definition = ROLES[role] if isinstance(role, str) else role
        self.assignments.append((scope, definition))
        return self

    def may(self, action: str, scope: str, *, data: bool = False) -> bool:
        """Return whether any assignment on the scope or above it allows the action."""
        return any(role.allows(action, data=data) for role in self.roles_on(scope))

    def roles_on(self, scope: str) -> list[Role]:
        """Return the roles that are assigned on the scope or above it."""
        return [role for granted, role in self.assignments if covers(granted, scope)]


def covers(granted: str, scope: str) -> bool:
    """Return whether ``granted`` is the scope or above it; "/" is above everything."""
    above = granted.lower().rstrip("/")
    return scope.lower() == above or scope.lower().startswith(above + "/")


@dataclass(frozen=True)
class Token:
    """An issued token's principal, audience and expiry."""

    principal: Principal
    audience: str
    expires: datetime


@dataclass
class Identity:
    """The token endpoint of App Service and Functions.

    The first principal is the system-assigned identity; ``fail_with`` is a status that every
    request gets.
    """

    clock: Clock
    header: str = field(default_factory=lambda: secrets.token_hex(16))
    principals: list[Principal] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    fail_with: int | None = None

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        if request.path.rstrip("/").lower() != "/msi/token":
            return None
        return "identity.token", lambda: self._respond(request)

    def _respond(self, request: Request) -> Response:
        query = request.query
        if request.headers.get("X-IDENTITY-HEADER") != self.header:
            return _error(401, "the X-IDENTITY-HEADER is wrong")
        if request.method != "GET" or query.get("api-version") != API_VERSION:
            return _error(400, f"GET with api-version={API_VERSION} is expected")
        if self.fail_with:
            headers = {"Retry-After": "1"} if self.fail_with == 429 else {}
            return _error(self.fail_with, "the identity service has failed", headers)
        principal, resource = self._selected(query), query.get("resource", "")
        if principal is None or not resource:
            return _error(400, "unable to load the proper Managed Identity.")
        return self._granted(principal, resource)

    def _granted(self, principal: Principal, resource: str) -> Response:
        text = self.issue(principal, resource)
        expires = self.tokens[text].expires
        body = {
            "access_token": text,
            "expires_on": str(int(expires.timestamp())),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": principal.client_id,
        }
        return Response.of_json(200, body)

    def _selected(self, query: Mapping[str, str]) -> Principal | None:
        selectors = {
            "client_id": "client_id",
            "object_id": "object_id",
            "principal_id": "object_id",
            "mi_res_id": "resource_id",
        }
        for name, attribute in selectors.items():
            if name in query:
                wanted = query[name].lower()
                found = (p for p in self.principals if getattr(p, attribute).lower() == wanted)
                return next(found, None)
        return self.principals[0] if self.principals else None

    def issue(self, principal: Principal, audience: str, lifetime: timedelta = LIFETIME) -> str:
        """Issue a token for this principal and resource."""
        expires = self.clock.now() + lifetime
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{TENANT}/",
            "oid": principal.object_id,
            "appid": principal.client_id,
            "tid": TENANT,
            "exp": int(expires.timestamp()),
            "jti": secrets.token_hex(12),
        }
        header = {"alg": "none", "typ": "JWT"}
        text = f"{_segment(header)}.{_segment(claims)}.emulated"
        self.tokens[text] = Token(principal, audience.rstrip("/"), expires)
        return text

    def caller(self, request: Request) -> str:
        """Return the object id of a request's token, valid or not; or an empty string."""
        token = self.tokens.get(str(request.headers.get("Authorization", "")).partition(" ")[2])
        return token.principal.object_id if token else ""

    def bearer(self, request: Request, audiences: Iterable[str]) -> Principal | str:
        """Return the caller, or the fault: ``missing``, ``invalid``, ``audience``, ``expired``."""
        scheme, _, text = str(request.headers.get("Authorization", "")).partition(" ")
        if scheme.lower() != "bearer" or not text:
            return "missing"
        token = self.tokens.get(text.strip())
        if token is None:
            return "invalid"
        if token.audience not in {audience.rstrip("/") for audience in audiences}:
            return "audience"
        return "expired" if token.expires <= self.clock.now() else token.principal


def _segment(claims: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"statusCode": status, "message": message, "correlationId": str(uuid.uuid4())}
    return Response.of_json(status, body, headers)
