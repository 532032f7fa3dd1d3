"""HTTP in front of the vaults: the challenge, rights and limits; then the operation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..identity import TENANT, Identity, Principal
from ..wire import Request, Response
from .answers import error
from .operations import Operation, find
from .vault import Refused, Vault

API_VERSIONS = re.compile(
    r"2016-10-01|7\.[0-6](-preview(\.\d)?)?|2025-0[67]-01(-preview)?|2026-0\d-01"
)


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
        operation = find(request)
        name = operation.name if operation else "unknown"
        return f"keyvault.{name}", lambda: self._answer(vault, operation, request)

    def _answer(self, vault: Vault, operation: Operation | None, request: Request) -> Response:
        principal = self._caller(vault, request)
        if isinstance(principal, Response):
            return principal
        try:
            response = self._admitted(vault, operation, request, principal)
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
