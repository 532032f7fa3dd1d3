"""The vaults' audit events, as their diagnostic setting sends them to a log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...core.identity import Principal
from ...core.wire import Request, Response
from .vault import Vault

# Key Vault, "Monitoring data reference": names of operations in the logs.
OPERATIONS = {
    "set_secret": "SecretSet",
    "get_secret": "SecretGet",
    "update_secret": "SecretUpdate",
    "list_secrets": "SecretList",
    "list_versions": "SecretListVersions",
    "delete_secret": "SecretDelete",
    "get_deleted": "SecretGetDeleted",
    "list_deleted": "SecretListDeleted",
    "purge_deleted": "SecretPurge",
    "recover_deleted": "SecretRecover",
    "backup_secret": "SecretBackup",
    "restore_secret": "SecretRestore",
}
AUTHENTICATION = "Authentication"
NEAR_EXPIRY = "SecretNearExpiryEventGridNotification"
# Operations whose response is one version; the log has its address, also if the request had none.
_OF_A_VERSION = ("set_secret", "get_secret", "update_secret")


@dataclass(frozen=True)
class AuditEvent:
    """One call, or one notification, of a vault.

    ``principal`` is None without a valid token; ``refusal`` is the error's inner code, or empty.
    """

    at: datetime
    vault: str
    operation: str
    id: str
    principal: Principal | None = None
    request_uri: str = ""
    api_version: str = ""
    client: str = ""
    status: int = 200
    refusal: str = ""


def call_event(
    vault: Vault, name: str, request: Request, principal: Principal | None, response: Response
) -> AuditEvent:
    """Return the event of an operation, or of the challenge that a call without a token gets."""
    address = vault.url + request.path.rstrip("/")
    version = request.query.get("api-version", "")
    found = response.status == 200 and name in _OF_A_VERSION
    body = json.loads(response.body) if found or response.status >= 400 else {}
    return AuditEvent(
        at=vault.clock.now(),
        vault=vault.id,
        operation=OPERATIONS[name] if principal else AUTHENTICATION,
        id=body["id"] if found else address,
        principal=principal,
        request_uri=f"{address}?api-version={version}",
        api_version=version,
        client=str(request.headers.get("User-Agent", "")),
        status=response.status,
        refusal=_refusal(body),
    )


def _refusal(body: dict[str, Any]) -> str:
    return str(body.get("error", {}).get("innererror", {}).get("code", ""))


def near_expiry_event(vault: Vault, version_url: str) -> AuditEvent:
    """Return the event of a near-expiry notification, with or without a subscription to it."""
    return AuditEvent(vault.clock.now(), vault.id, NEAR_EXPIRY, version_url)
