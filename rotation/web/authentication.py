"""Authenticates a request by App Service's principal header or a function key. Fails closed.

The header is trusted only if App Service authentication is on (``WEBSITE_AUTH_ENABLED``), because
App Service then removes any header of that name from the client's request.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..domain.access import Caller, Role
from .requests import HttpRequest

HEADER = "X-MS-CLIENT-PRINCIPAL"

NAME_HEADER = "X-MS-CLIENT-PRINCIPAL-NAME"

ENTRA = "aad"

MAX_NAME = 100

# App Service passes claims on under their short or long names.
_ROLE_TYPES = ("roles", "role", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")

_NAME_TYPES = (
    "preferred_username",
    "upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "name",
    "azp",
    "appid",
)


@dataclass(frozen=True)
class AuthMethods:
    """The enabled authentication methods: App Service, function keys, both or neither."""

    platform: bool
    function_keys: bool


def authenticate(request: HttpRequest, methods: AuthMethods, call: str) -> Caller | None:
    """Return the authenticated caller, or None. ``call`` is the request's id."""
    if methods.platform and request.header(HEADER):
        return _principal(request, call)
    if methods.function_keys:  # the Functions host has already checked the key
        return Caller("function key", frozenset(Role), call, by_key=True)
    return None


def _principal(request: HttpRequest, call: str) -> Caller | None:
    principal = _decode(request.header(HEADER))
    if principal is None or principal.get("auth_typ") != ENTRA:
        return None
    claims = _claims(principal)
    types = {*_ROLE_TYPES, str(principal.get("role_typ", "")) or "roles"}
    held = {value for name, value in claims if name in types}
    roles = frozenset(role for role in Role if role.value in held)
    return Caller(_name(request, claims), roles, call)


def _decode(header: str) -> Mapping[str, Any] | None:
    try:
        principal = json.loads(base64.b64decode(header, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return principal if isinstance(principal, dict) else None


def _claims(principal: Mapping[str, Any]) -> list[tuple[str, str]]:
    claims = principal.get("claims")
    if not isinstance(claims, list):
        return []
    pairs = [(c.get("typ"), c.get("val")) for c in claims if isinstance(c, dict)]
    return [(n, v) for n, v in pairs if isinstance(n, str) and isinstance(v, str)]


def _name(request: HttpRequest, claims: list[tuple[str, str]]) -> str:
    """Return the name for the audit trail: a user's name or an application's id."""
    names = [value for wanted in _NAME_TYPES for name, value in claims if name == wanted]
    found = next(iter(names), "") or request.header(NAME_HEADER) or "unnamed"
    return "".join(c for c in found if c.isprintable())[:MAX_NAME]
