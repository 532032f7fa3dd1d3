"""Access to a vault: network rules, then roles or access policies."""

from __future__ import annotations

from ...core.identity import TENANT, Principal
from ...core.wire import CLIENT_ADDRESS
from .errors import KeyVaultError, forbidden
from .operations import Operation
from .vault import Vault


def check_network(vault: Vault) -> None:
    """Raise KeyVaultError if the vault refuses every public address, or the client's."""
    place = f"Vault: {vault.name};location={vault.location}"
    if not vault.public_network:
        text = (
            "Public network access is disabled and request is not from a trusted service nor via "
            f"an approved private link.\r\n{place}"
        )
        raise forbidden(text, "ForbiddenByConnection")
    if not vault.open:
        text = (
            "Client address is not authorized and caller is not a trusted service.\r\n"
            f"Client address: {CLIENT_ADDRESS}\r\n{place}"
        )
        raise forbidden(text, "ForbiddenByFirewall")


def check_rights(vault: Vault, operation: Operation, secret: str, principal: Principal) -> None:
    """Raise KeyVaultError if the principal may not do this to the secret ("" for all)."""
    if vault.policies is not None:
        if operation.permission not in vault.policies.get(principal.object_id, ()):
            raise _no_permission(vault, operation.permission, principal)
        return
    scope = f"{vault.id}/secrets/{secret}" if secret else vault.id
    if not principal.may(operation.action, scope, data=True):
        raise _no_role(vault, operation.action, scope, principal)


def _no_permission(vault: Vault, permission: str, principal: Principal) -> KeyVaultError:
    text = (
        f"The user, group or application '{_caller(principal)}' does not have secrets {permission} "
        f"permission on key vault '{vault.name};location={vault.location}'."
    )
    return forbidden(text, "AccessDenied")


def _no_role(vault: Vault, action: str, scope: str, principal: Principal) -> KeyVaultError:
    text = (
        "Caller is not authorized to perform action on resource.\r\n"
        f"Caller: {_caller(principal)}\r\n"
        f"Action: '{action}'\r\nResource: '{scope.lower()}'\r\n"
        "Assignment: (not found)\r\nDenyAssignmentId: null\r\n"
        "DecisionReason: 'DeniedWithNoValidRBAC'\r\n"
        f"Vault: {vault.name};location={vault.location}\r\n"
    )
    return forbidden(text, "ForbiddenByRbac")


def _caller(principal: Principal) -> str:
    issuer = f"https://sts.windows.net/{TENANT}/"
    return f"appid={principal.client_id};oid={principal.object_id};iss={issuer}"
