"""HTTP in front of the vaults: routes, the challenge, rights, limits, bundles and pages."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ..identity import TENANT, Identity, Principal
from ..wire import Headers, Request, Response
from .body import attributes, body_of, checked_name, tags_of, text_of
from .vault import Deleted, Refused, Secret, Vault, Version

API_VERSIONS = re.compile(
    r"2016-10-01|7\.[0-6](-preview(\.\d)?)?|2025-0[67]-01(-preview)?|2026-0\d-01"
)
PAGE = 25
_NETWORK = "conn_type=Ipv4;addr=203.0.113.7;act_addr_fam=InterNetwork;"
_ACTION = "Microsoft.KeyVault/vaults/secrets/"
_PATHS = re.compile(r"/(secrets|deletedsecrets)(?:/([^/]+))?(?:/([^/]*))?/?")


@dataclass(frozen=True)
class Operation:
    """A routed request: its public name, the right it needs, and what it does."""

    name: str
    action: str
    run: Callable[[Vault, Request], Response]
    creates: bool = False
    secret: str = ""


@dataclass
class KeyVault:
    """All vaults of all clouds, found by host."""

    identity: Identity
    vaults: dict[str, Vault] = field(default_factory=dict)
    audit: Callable[[Vault, Request, Principal, str, Response], None] | None = None

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        vault = self.vaults.get(request.host)
        if vault is None:
            return None
        operation = _operation(request)
        name = operation.name if operation else "unknown"
        return f"keyvault.{name}", lambda: self._answer(vault, operation, request)

    def _answer(self, vault: Vault, operation: Operation | None, request: Request) -> Response:
        principal = self._caller(vault, request)
        if isinstance(principal, Response):
            return principal
        try:
            response = self._admitted(vault, operation, request, principal)
        except Refused as refusal:
            response = _error(vault, refusal)
        if operation and self.audit:
            self.audit(vault, request, principal, operation.name, response)
        return response

    def _caller(self, vault: Vault, request: Request) -> Principal | Response:
        resource = "https://" + vault.suffix
        found = self.identity.bearer(request, [resource])
        if isinstance(found, Principal):
            return found
        reason = {
            "missing": "AKV10000: Request is missing a Bearer or PoP token.",
            "audience": "AKV10022: Invalid audience.",
            "expired": "AKV10042: the token is expired.",
        }.get(found, "AKV10032: Invalid issuer or signature.")
        authority = f"https://login.microsoftonline.com/{TENANT}"
        challenge = f'Bearer authorization="{authority}", resource="{resource}"'
        refusal = Refused(401, "Unauthorized", reason)
        return _error(vault, refusal, {"WWW-Authenticate": challenge})

    def _admitted(
        self, vault: Vault, operation: Operation | None, request: Request, principal: Principal
    ) -> Response:
        if not vault.open:
            text = (
                "Client address is not authorized and caller is not a trusted service.\r\n"
                f"Client address: 203.0.113.7\r\nVault: {vault.name};location={vault.location}"
            )
            raise Refused(403, "Forbidden", text, "ForbiddenByFirewall")
        if operation is None:
            raise Refused(404, "NotFound", "There is no such operation.")
        _check_api_version(request)
        _check_rights(vault, operation, principal)
        throttle = vault.creates if operation.creates else vault.others
        if not throttle.admit(vault.clock.now()):
            limit = "VaultRequestTypeLimitReached" if operation.creates else "VaultOperationLimit"
            raise Refused(429, "Throttled", f"Request was not processed. Reason: {limit}")
        return operation.run(vault, request)


def _check_api_version(request: Request) -> None:
    version = request.query.get("api-version", "")
    if not version:
        raise Refused(400, "BadParameter", "api-version must be specified")
    if not API_VERSIONS.fullmatch(version):
        raise Refused(400, "BadParameter", f"api-version {version} is not supported")


def _check_rights(vault: Vault, operation: Operation, principal: Principal) -> None:
    scope = f"{vault.id}/secrets/{operation.secret}" if operation.secret else vault.id
    if principal.may(operation.action, scope, data=True):
        return
    text = (
        "Caller is not authorized to perform action on resource.\r\n"
        f"Caller: appid={principal.client_id};oid={principal.object_id};"
        f"iss=https://sts.windows.net/{TENANT}/\r\n"
        f"Action: '{operation.action}'\r\nResource: '{scope.lower()}'\r\n"
        "Assignment: (not found)\r\nDenyAssignmentId: null\r\n"
        f"DecisionReason: 'DeniedWithNoValidRBAC'\r\nVault: {vault.name};location={vault.location}"
    )
    raise Refused(403, "Forbidden", text, "ForbiddenByRbac")


def _operation(request: Request) -> Operation | None:
    match = _PATHS.fullmatch(unquote(request.path))
    if match is None:
        return None
    collection, name, rest = match[1], match[2] or "", match[3] or ""
    if collection == "deletedsecrets":
        return _deleted_operation(request.method, name, rest)
    return _secret_operation(request.method, name, rest)


def _secret_operation(method: str, name: str, rest: str) -> Operation | None:
    def operation(title: str, action: str, run: Any, creates: bool = False) -> Operation:
        return Operation(title, _ACTION + action, run, creates, name)

    if not name:
        listing = operation("list_secrets", "readMetadata/action", _list_secrets)
        return listing if method == "GET" else None
    found: dict[tuple[str, str], Operation] = {
        ("PUT", ""): operation(
            "set_secret", "setSecret/action", lambda v, r: _set(v, r, name), creates=True
        ),
        ("DELETE", ""): operation("delete_secret", "delete", lambda v, r: _delete(v, name)),
        ("POST", "backup"): operation(
            "backup_secret", "backup/action", lambda v, r: _backup(v, name)
        ),
        ("GET", "versions"): operation(
            "list_versions", "readMetadata/action", lambda v, r: _list_versions(v, r, name)
        ),
    }
    if (method, rest) == ("POST", "") and name.lower() == "restore":
        return Operation("restore_secret", _ACTION + "restore/action", _restore, True)
    if (method, rest) in found:
        return found[method, rest]
    if method == "GET":
        return operation("get_secret", "getSecret/action", lambda v, r: _get(v, name, rest))
    if method == "PATCH":
        return operation("update_secret", "update/action", lambda v, r: _update(v, r, name, rest))
    return None


def _deleted_operation(method: str, name: str, rest: str) -> Operation | None:
    def operation(title: str, action: str, run: Any) -> Operation:
        return Operation(title, _ACTION + action, run, False, name)

    if not name:
        listing = operation("list_deleted", "readMetadata/action", _list_deleted)
        return listing if method == "GET" else None
    found = {
        ("GET", ""): operation(
            "get_deleted", "readMetadata/action", lambda v, r: _get_deleted(v, name)
        ),
        ("DELETE", ""): operation("purge_deleted", "purge/action", lambda v, r: _purge(v, name)),
        ("POST", "recover"): operation(
            "recover_deleted", "recover/action", lambda v, r: _recover(v, name)
        ),
    }
    return found.get((method, rest))


def _set(vault: Vault, request: Request, name: str) -> Response:
    checked_name(name)
    body = body_of(request)
    enabled, nbf, exp = attributes(body)
    now = vault.clock.now()
    version = Version(
        id=vault.new_version_id(),
        value=text_of(body, "value", 25 * 1024, required=True) or "",
        made=now,
        updated=now,
        enabled=True if enabled is None else enabled,
        nbf=nbf,
        exp=exp,
        content_type=text_of(body, "contentType", 255),
        tags=tags_of(body),
    )
    return _ok(vault, _bundle(vault, *vault.set(name, version), with_value=True))


def _get(vault: Vault, name: str, version_id: str) -> Response:
    secret, version = vault.version(name, version_id)
    if not version.enabled:
        text = "Operation get is not allowed on a disabled secret."
        raise Refused(403, "Forbidden", text, "SecretDisabled")
    return _ok(vault, _bundle(vault, secret, version, with_value=True))


def _update(vault: Vault, request: Request, name: str, version_id: str) -> Response:
    """Members that are absent stay; tags that are given replace all tags."""
    secret, version = vault.version(name, version_id)
    body = body_of(request)
    enabled, nbf, exp = attributes(body)
    content_type, tags = text_of(body, "contentType", 255), tags_of(body)
    version.enabled = version.enabled if enabled is None else enabled
    version.nbf = version.nbf if nbf is None else nbf
    version.exp = version.exp if exp is None else exp
    version.content_type = version.content_type if content_type is None else content_type
    version.tags = version.tags if tags is None else tags
    version.updated = vault.clock.now()
    vault.changed("secret.updated", (vault, secret, version))
    return _ok(vault, _bundle(vault, secret, version))


def _delete(vault: Vault, name: str) -> Response:
    return _ok(vault, _deleted_bundle(vault, vault.delete(name)))


def _backup(vault: Vault, name: str) -> Response:
    return _ok(vault, {"value": base64.urlsafe_b64encode(vault.backup(name).encode()).decode()})


def _restore(vault: Vault, request: Request) -> Response:
    text = text_of(body_of(request), "value", 10**6, required=True) or ""
    try:
        token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        secret = vault.backups[token]
    except (ValueError, KeyError):
        raise Refused(400, "BadParameter", "The backup is not valid.") from None
    restored = vault.restore(secret)
    return _ok(vault, _bundle(vault, restored, restored.current))


def _get_deleted(vault: Vault, name: str) -> Response:
    return _ok(vault, _deleted_bundle(vault, vault.find_deleted(name)))


def _purge(vault: Vault, name: str) -> Response:
    vault.purge(name)
    return Response(204, headers=_headers(vault))


def _recover(vault: Vault, name: str) -> Response:
    secret = vault.recover(name)
    return _ok(vault, _bundle(vault, secret, secret.current))


def _list_secrets(vault: Vault, request: Request) -> Response:
    names = sorted(vault.secrets)

    def item(name: str) -> dict[str, Any]:
        secret = vault.secrets[name]
        return _bundle(vault, secret, secret.current, versioned=False)

    return _page(vault, request, names, item)


def _list_versions(vault: Vault, request: Request, name: str) -> Response:
    """By id and not by time; an unknown secret has no versions."""
    secret = vault.secrets.get(name.lower())
    versions = {version.id: version for version in secret.versions} if secret else {}

    def item(version_id: str) -> dict[str, Any]:
        assert secret is not None
        return _bundle(vault, secret, versions[version_id])

    return _page(vault, request, sorted(versions), item)


def _list_deleted(vault: Vault, request: Request) -> Response:
    now = vault.clock.now()
    names = sorted(name for name, deleted in vault.deleted.items() if deleted.ready <= now)

    def item(name: str) -> dict[str, Any]:
        return _deleted_bundle(vault, vault.deleted[name], versioned=False)

    return _page(vault, request, names, item)


def _page(
    vault: Vault, request: Request, names: list[str], item: Callable[[str], dict[str, Any]]
) -> Response:
    """At most 25 items; the link names the last one, so that pages stay whole under changes."""
    query = request.query
    size = _page_size(query.get("maxresults"))
    after = _marker(query["$skiptoken"]) if "$skiptoken" in query else ""
    rest = [name for name in names if name > after]
    shown = rest[:size]
    link = None
    if len(rest) > size:
        marker = json.dumps({"NextMarker": shown[-1]}).encode()
        token = quote(base64.urlsafe_b64encode(marker).decode())
        version = quote(query.get("api-version", ""))
        path = urlsplit(request.url).path.rstrip("/")
        link = f"https://{vault.host}:443{path}?api-version={version}&$skiptoken={token}"
        link += f"&maxresults={size}"
    return _ok(vault, {"value": [item(name) for name in shown], "nextLink": link})


def _page_size(text: str | None) -> int:
    if text is None:
        return PAGE
    if not text.isdecimal() or not 1 <= int(text) <= PAGE:
        raise Refused(400, "BadParameter", f"maxresults must be from 1 to {PAGE}")
    return int(text)


def _marker(token: str) -> str:
    try:
        return str(json.loads(base64.urlsafe_b64decode(token))["NextMarker"])
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "BadParameter", "The skip token is not valid.") from None


def _bundle(
    vault: Vault,
    secret: Secret,
    version: Version,
    *,
    with_value: bool = False,
    versioned: bool = True,
) -> dict[str, Any]:
    """As on the wire: members without a value are absent, never null."""
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
        "created": _seconds(version.made),
        "updated": _seconds(version.updated),
        "recoveryLevel": vault.recovery_level,
        "recoverableDays": vault.retention_days,
    }
    return {name: member for name, member in members.items() if member is not None}


def _deleted_bundle(vault: Vault, deleted: Deleted, *, versioned: bool = True) -> dict[str, Any]:
    secret = deleted.secret
    return {
        "recoveryId": f"{vault.url}/deletedsecrets/{secret.name}",
        "deletedDate": _seconds(deleted.at),
        "scheduledPurgeDate": _seconds(deleted.purge_at),
        **_bundle(vault, secret, secret.current, versioned=versioned),
    }


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _headers(vault: Vault, more: Mapping[str, str] | None = None) -> Headers:
    return Headers(
        {
            "x-ms-keyvault-region": vault.location,
            "x-ms-request-id": str(uuid.uuid4()),
            "x-ms-keyvault-service-version": "2.1.0.0",
            "x-ms-keyvault-network-info": _NETWORK,
            **(more or {}),
        }
    )


def _ok(vault: Vault, body: object) -> Response:
    return Response.of_json(200, body, _headers(vault))


def _error(vault: Vault, refusal: Refused, more: Mapping[str, str] | None = None) -> Response:
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.inner:
        error["innererror"] = {"code": refusal.inner}
    return Response.of_json(refusal.status, {"error": error}, _headers(vault, more))
