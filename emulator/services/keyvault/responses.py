"""Key Vault's responses: secrets, pages of them, and errors."""

from __future__ import annotations

import base64
import json
import uuid
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from ...core.wire import CLIENT_ADDRESS, Headers, Request, Response
from .errors import KeyVaultError, bad_parameter
from .model import Deleted, Secret, Version
from .vault import Vault

PAGE = 25
_NETWORK = f"conn_type=Ipv4;addr={CLIENT_ADDRESS};act_addr_fam=InterNetwork;"


def page(
    vault: Vault, request: Request, names: list[str], item: Callable[[str], dict[str, Any]]
) -> Response:
    """Return at most 25 items; the link names the last one, so changes do not shift the pages."""
    query = request.query
    size = _page_size(query.get("maxresults"))
    after = _marker(query["$skiptoken"]) if "$skiptoken" in query else ""
    rest = names[bisect_right(names, after) :]
    shown = rest[:size]
    link = None
    if len(rest) > size:
        marker = json.dumps({"NextMarker": shown[-1]}).encode()
        token = quote(base64.urlsafe_b64encode(marker).decode())
        version = quote(query.get("api-version", ""))
        path = urlsplit(request.url).path.rstrip("/")
        link = f"https://{vault.host}:443{path}?api-version={version}&$skiptoken={token}"
        link += f"&maxresults={size}"
    return ok(vault, {"value": [item(name) for name in shown], "nextLink": link})


def _page_size(text: str | None) -> int:
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdecimal()) or len(text) > 2 or not 1 <= int(text) <= PAGE:
        raise bad_parameter(f"maxresults must be from 1 to {PAGE}")
    return int(text)


def _marker(token: str) -> str:
    try:
        return str(json.loads(base64.urlsafe_b64decode(token))["NextMarker"])
    except (ValueError, KeyError, TypeError):
        raise bad_parameter("The skip token is not valid.") from None


def secret_body(
    vault: Vault,
    secret: Secret,
    version: Version,
    *,
    with_value: bool = False,
    versioned: bool = True,
) -> dict[str, Any]:
    """Return a secret's version; members without a value are absent, never null."""
    identity = f"{vault.url}/secrets/{secret.name}" + (f"/{version.id}" if versioned else "")
    members: dict[str, Any] = {
        "value": version.value if with_value else None,
        "contentType": version.content_type,
        "id": identity,
        "attributes": _attributes(vault, version),
        "tags": version.tags,
    }
    return {name: member for name, member in members.items() if member is not None}


def _attributes(vault: Vault, version: Version) -> dict[str, Any]:
    members = {
        "enabled": version.enabled,
        "nbf": version.nbf,
        "exp": version.exp,
        "created": _seconds(version.created),
        "updated": _seconds(version.updated),
        "recoveryLevel": vault.recovery_level,
        "recoverableDays": vault.retention_days,
    }
    return {name: member for name, member in members.items() if member is not None}


def deleted_body(vault: Vault, deleted: Deleted, *, versioned: bool = True) -> dict[str, Any]:
    """Return a soft-deleted secret: the current version, and when it was and will be deleted."""
    secret = deleted.secret
    return {
        "recoveryId": f"{vault.url}/deletedsecrets/{secret.name}",
        "deletedDate": _seconds(deleted.at),
        "scheduledPurgeDate": _seconds(deleted.purge_at),
        **secret_body(vault, secret, secret.current, versioned=versioned),
    }


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def headers(vault: Vault, more: Mapping[str, str] | None = None) -> Headers:
    """Return the headers of every response."""
    return Headers(
        {
            "x-ms-keyvault-region": vault.location,
            "x-ms-request-id": str(uuid.uuid4()),
            "x-ms-keyvault-service-version": "2.1.0.0",
            "x-ms-keyvault-network-info": _NETWORK,
            **(more or {}),
        }
    )


def ok(vault: Vault, body: object) -> Response:
    """Return 200 with a JSON body."""
    return Response.of_json(200, body, headers(vault))


def error_response(
    vault: Vault, error: KeyVaultError, more: Mapping[str, str] | None = None
) -> Response:
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.inner:
        body["innererror"] = {"code": error.inner}
    return Response.of_json(error.status, {"error": body}, headers(vault, more))
