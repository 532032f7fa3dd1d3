"""HTTP in front of the vaults: the challenge, rights and limits; then the operation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ...core.identity import TENANT, Identity, Principal
from ...core.wire import Headers, Request, Response
from .answers import error
from .body import checked_name
from .model import Backup, Refused
from .operations import Operation, find
from .vault import Vault

API_VERSIONS = re.compile(
    r"2016-10-01|7\.[0-6](-preview(\.\d)?)?|2025-0[67]-01(-preview)?|2026-0\d-01"
)


@dataclass
class KeyVault:
    """All vaults of all clouds, found by host. Backups restore into any vault of a subscription."""

    identity: Identity
    vaults: dict[str, Vault] = field(default_factory=dict)
    backups: dict[str, Backup] = field(default_factory=dict)
    audit: Callable[[Vault, Request, Principal, str, Response], None] | None = None

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        vault = self.vaults.get(request.host)
        if vault is None:
            return None
        operation = find(request)
        name = operation.name if operation else "unknown"
        return f"keyvault.{name}", lambda: _echoed(request, self._answer(vault, operation, request))

    def _answer(self, vault: Vault, operation: Operation | None, request: Request) -> Response:
        principal = self._caller(vault, request)
        if isinstance(principal, Response):
            return principal
        try:
            response = _admitted(vault, operation, request, principal)
        except Refused as refusal:
            response = error(vault, refusal)
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
        return error(vault, refusal, {"WWW-Authenticate": challenge})


def _echoed(request: Request, response: Response) -> Response:
    """With the client's own name of the request."""
    name = "x-ms-client-request-id"
    if name not in request.headers:
        return response
    headers = Headers({**response.headers, name: request.headers[name]})
    return Response(response.status, headers, response.body)


def _admitted(
    vault: Vault, operation: Operation | None, request: Request, principal: Principal
) -> Response:
    _check_network(vault)
    if operation is None:
        raise Refused(404, "NotFound", "There is no such operation.")
    _check_api_version(request)
    if operation.secret:
        checked_name(operation.secret)
    _check_rights(vault, operation, principal)
    throttle = vault.creates if operation.creates else vault.others
    if not throttle.admit(vault.clock.now()):
        limit = "VaultRequestTypeLimit" if operation.creates else "VaultOperationLimit"
        raise Refused(429, "Throttled", f"Request was not processed. Reason: {limit}Reached")
    return operation.run(vault, request)


def _check_network(vault: Vault) -> None:
    place = f"Vault: {vault.name};location={vault.location}"
    if not vault.public_network:
        text = (
            "Public network access is disabled and request is not from a trusted service nor via "
            f"an approved private link.\r\n{place}"
        )
        raise Refused(403, "Forbidden", text, "ForbiddenByConnection")
    if not vault.open:
        text = (
            "Client address is not authorized and caller is not a trusted service.\r\n"
            f"Client address: 203.0.113.7\r\n{place}"
        )
        raise Refused(403, "Forbidden", text, "ForbiddenByFirewall")


def _check_api_version(request: Request) -> None:
    version = request.query.get("api-version", "")
    if not version:
        raise Refused(400, "BadParameter", "api-version must be specified")
    if not API_VERSIONS.fullmatch(version):
        raise Refused(400, "BadParameter", f"api-version {version} is not supported")


def _check_rights(vault: Vault, operation: Operation, principal: Principal) -> None:
    if vault.policies is not None:
        if operation.permission not in vault.policies.get(principal.object_id, ()):
            raise _no_permission(vault, operation.permission, principal)
        return
    scope = f"{vault.id}/secrets/{operation.secret}" if operation.secret else vault.id
    if not principal.may(operation.action, scope, data=True):
        raise _no_role(vault, operation.action, scope, principal)


def _no_permission(vault: Vault, permission: str, principal: Principal) -> Refused:
    text = (
        f"The user, group or application '{_caller(principal)}' does not have secrets {permission} "
        f"permission on key vault '{vault.name};location={vault.location}'."
    )
    return Refused(403, "Forbidden", text, "AccessDenied")


def _no_role(vault: Vault, action: str, scope: str, principal: Principal) -> Refused:
    text = (
        "Caller is not authorized to perform action on resource.\r\n"
        f"Caller: {_caller(principal)}\r\n"
        f"Action: '{action}'\r\nResource: '{scope.lower()}'\r\n"
        "Assignment: (not found)\r\nDenyAssignmentId: null\r\n"
        "DecisionReason: 'DeniedWithNoValidRBAC'\r\n"
        f"Vault: {vault.name};location={vault.location}\r\n"
    )
    return Refused(403, "Forbidden", text, "ForbiddenByRbac")


def _caller(principal: Principal) -> str:
    issuer = f"https://sts.windows.net/{TENANT}/"
    return f"appid={principal.client_id};oid={principal.object_id};iss={issuer}"
