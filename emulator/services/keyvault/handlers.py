"""The operations' handlers: each takes a vault, the request and its target, and responds."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any

from ...core.wire import Request, Response
from . import policies
from .errors import bad_parameter, forbidden
from .model import Version
from .request_body import (
    parse_attributes,
    parse_body,
    parse_content_type,
    parse_tags,
    parse_value,
)
from .responses import deleted_body, headers, ok, page, secret_body
from .vault import Vault

MAX_VALUE, MAX_BACKUP = 25 * 1024, 10**6


@dataclass(frozen=True)
class Target:
    """The secret and the version in a request's path; absent parts are empty."""

    name: str = ""
    version: str = ""


def set_secret(vault: Vault, request: Request, target: Target) -> Response:
    body = parse_body(request)
    enabled, nbf, exp = parse_attributes(body)
    now = vault.clock.now()
    version = Version(
        id=vault.new_version_id(),
        value=parse_value(body, MAX_VALUE),
        created=now,
        updated=now,
        enabled=True if enabled is None else enabled,
        nbf=nbf,
        exp=exp,
        content_type=parse_content_type(body),
        tags=parse_tags(body),
    )
    policies.check(version, vault.assignments, "set")
    return ok(vault, secret_body(vault, *vault.set(target.name, version), with_value=True))


def get_secret(vault: Vault, request: Request, target: Target) -> Response:
    secret, version = vault.shown_version(target.name, target.version)
    if not version.enabled:
        text = "Operation get is not allowed on a disabled secret."
        raise forbidden(text, "SecretDisabled")
    return ok(vault, secret_body(vault, secret, version, with_value=True))


def update_secret(vault: Vault, request: Request, target: Target) -> Response:
    """Change the members that are given; tags replace all tags."""
    secret, version = vault.version(target.name, target.version)
    body = parse_body(request)
    enabled, nbf, exp = parse_attributes(body)
    given: dict[str, Any] = {
        "enabled": enabled,
        "nbf": nbf,
        "exp": exp,
        "content_type": parse_content_type(body),
        "tags": parse_tags(body),
    }
    changes = {member: value for member, value in given.items() if value is not None}
    changed = replace(version, **changes, updated=vault.clock.now())
    policies.check(changed, vault.assignments, "update")
    vault.update(secret, version, changes)
    return ok(vault, secret_body(vault, secret, version))


def delete_secret(vault: Vault, request: Request, target: Target) -> Response:
    return ok(vault, deleted_body(vault, vault.delete(target.name)))


def backup_secret(vault: Vault, request: Request, target: Target) -> Response:
    token = vault.backup(target.name)
    return ok(vault, {"value": base64.urlsafe_b64encode(token.encode()).decode()})


def restore_secret(vault: Vault, request: Request, target: Target) -> Response:
    text = parse_value(parse_body(request), MAX_BACKUP)
    try:
        token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        raise bad_parameter("The backup is not valid.") from None
    restored = vault.restore(token)
    return ok(vault, secret_body(vault, restored, restored.current))


def get_deleted(vault: Vault, request: Request, target: Target) -> Response:
    return ok(vault, deleted_body(vault, vault.deleted.find(target.name)))


def purge_deleted(vault: Vault, request: Request, target: Target) -> Response:
    vault.purge(target.name)
    return Response(204, headers=headers(vault))


def recover_deleted(vault: Vault, request: Request, target: Target) -> Response:
    secret = vault.recover(target.name)
    return ok(vault, secret_body(vault, secret, secret.current))


def list_secrets(vault: Vault, request: Request, target: Target) -> Response:
    def item(name: str) -> dict[str, Any]:
        secret = vault.secrets[name]
        return secret_body(vault, secret, secret.current, versioned=False)

    return page(vault, request, sorted(vault.secrets), item)


def list_versions(vault: Vault, request: Request, target: Target) -> Response:
    """List versions by id, not by time; an unknown secret has none."""
    secret = vault.secrets.get(target.name.lower())
    shown = vault.shown_versions(secret) if secret else []
    versions = {version.id: version for version in shown}

    def item(version_id: str) -> dict[str, Any]:
        assert secret is not None
        return secret_body(vault, secret, versions[version_id])

    return page(vault, request, sorted(versions), item)


def list_deleted(vault: Vault, request: Request, target: Target) -> Response:
    def item(name: str) -> dict[str, Any]:
        return deleted_body(vault, vault.deleted.by_name[name], versioned=False)

    return page(vault, request, vault.deleted.names(), item)
