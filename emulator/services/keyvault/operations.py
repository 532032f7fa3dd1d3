"""The operations of the secrets API: which request is which, the right it needs, what it does."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ...core.wire import Request, Response
from .answers import bundle, deleted_bundle, headers, ok, page
from .body import attributes, body_of, tags_of, text_of
from .model import Refused, Version
from .vault import Vault

_ACTION = "Microsoft.KeyVault/vaults/secrets/"
_PERMISSIONS = {
    _ACTION + "getSecret/action": "get",
    _ACTION + "setSecret/action": "set",
    _ACTION + "update/action": "set",
    _ACTION + "readMetadata/action": "list",
    _ACTION + "delete": "delete",
    _ACTION + "purge/action": "purge",
    _ACTION + "recover/action": "recover",
    _ACTION + "backup/action": "backup",
    _ACTION + "restore/action": "restore",
}
_PATHS = re.compile(r"/(secrets|deletedsecrets)(?:/([^/]+))?(?:/([^/]*))?/?", re.I)


@dataclass(frozen=True)
class Operation:
    """A routed request: its public name, the right it needs, and what it does."""

    name: str
    action: str
    run: Callable[[Vault, Request], Response]
    creates: bool = False
    secret: str = ""

    @property
    def permission(self) -> str:
        """What the older access policies call the right."""
        return "get" if self.name == "get_deleted" else _PERMISSIONS[self.action]


def find(request: Request) -> Operation | None:
    """The operation that a request asks for, or None where there is none."""
    match = _PATHS.fullmatch(unquote(request.path))
    if match is None:
        return None
    collection, name, rest = match[1].lower(), match[2] or "", (match[3] or "").lower()
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
    body = body_of(request)
    enabled, nbf, exp = attributes(body)
    now = vault.clock.now()
    version = Version(
        id=vault.new_version_id(),
        value=text_of(body, "value", 25 * 1024, required=True) or "",
        created=now,
        updated=now,
        enabled=True if enabled is None else enabled,
        nbf=nbf,
        exp=exp,
        content_type=text_of(body, "contentType", 255),
        tags=tags_of(body),
    )
    return ok(vault, bundle(vault, *vault.set(name, version), with_value=True))


def _get(vault: Vault, name: str, version_id: str) -> Response:
    secret, version = vault.shown_version(name, version_id)
    if not version.enabled:
        text = "Operation get is not allowed on a disabled secret."
        raise Refused(403, "Forbidden", text, "SecretDisabled")
    return ok(vault, bundle(vault, secret, version, with_value=True))


def _update(vault: Vault, request: Request, name: str, version_id: str) -> Response:
    """Members that are absent stay; tags that are given replace all tags."""
    secret, version = vault.version(name, version_id)
    body = body_of(request)
    enabled, nbf, exp = attributes(body)
    given = {
        "enabled": enabled,
        "nbf": nbf,
        "exp": exp,
        "content_type": text_of(body, "contentType", 255),
        "tags": tags_of(body),
    }
    changes = {member: value for member, value in given.items() if value is not None}
    vault.update(secret, version, changes)
    return ok(vault, bundle(vault, secret, version))


def _delete(vault: Vault, name: str) -> Response:
    return ok(vault, deleted_bundle(vault, vault.delete(name)))


def _backup(vault: Vault, name: str) -> Response:
    return ok(vault, {"value": base64.urlsafe_b64encode(vault.backup(name).encode()).decode()})


def _restore(vault: Vault, request: Request) -> Response:
    text = text_of(body_of(request), "value", 10**6, required=True) or ""
    try:
        token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        raise Refused(400, "BadParameter", "The backup is not valid.") from None
    restored = vault.restore(token)
    return ok(vault, bundle(vault, restored, restored.current))


def _get_deleted(vault: Vault, name: str) -> Response:
    return ok(vault, deleted_bundle(vault, vault.find_deleted(name)))


def _purge(vault: Vault, name: str) -> Response:
    vault.purge(name)
    return Response(204, headers=headers(vault))


def _recover(vault: Vault, name: str) -> Response:
    secret = vault.recover(name)
    return ok(vault, bundle(vault, secret, secret.current))


def _list_secrets(vault: Vault, request: Request) -> Response:
    names = sorted(vault.secrets)

    def item(name: str) -> dict[str, Any]:
        secret = vault.secrets[name]
        return bundle(vault, secret, secret.current, versioned=False)

    return page(vault, request, names, item)


def _list_versions(vault: Vault, request: Request, name: str) -> Response:
    """By id and not by time; an unknown secret has no versions."""
    secret = vault.secrets.get(name.lower())
    shown = vault.shown_versions(secret) if secret else []
    versions = {version.id: version for version in shown}

    def item(version_id: str) -> dict[str, Any]:
        assert secret is not None
        return bundle(vault, secret, versions[version_id])

    return page(vault, request, sorted(versions), item)


def _list_deleted(vault: Vault, request: Request) -> Response:
    now = vault.clock.now()
    names = sorted(name for name, deleted in vault.deleted.items() if deleted.ready <= now)

    def item(name: str) -> dict[str, Any]:
        return deleted_bundle(vault, vault.deleted[name], versioned=False)

    return page(vault, request, names, item)
