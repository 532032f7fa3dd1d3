"""Checks of one vault: permissions, the event subscription, and Azure Policy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from ...domain import permissions
from ...domain.errors import RotationError
from ...domain.events import NEAR_EXPIRY
from ...domain.permissions import VaultInfo
from ...domain.targets import ListedSecret
from ...ports import Resources
from .findings import CheckState, Finding, unknown
from .permissions import check_permissions, grant_command
from .policies import check_policies


@dataclass(frozen=True)
class VaultChecks:
    """The checks of a vault. ``object_id`` is the caller's, for the command that grants a role."""

    resources: Resources
    object_id: str

    async def run(
        self, url: str, vault: VaultInfo | None, secrets: Sequence[ListedSecret]
    ) -> AsyncIterator[Finding]:
        """Yield the findings; ``secrets`` are the vault's enrolled secrets."""
        if vault is None:
            detail = "not visible in Resource Manager, so permissions cannot be checked"
            yield unknown("vault rights", url, detail)
            return
        yield await self._permissions(url, vault)
        yield await self._events(url, vault.id)
        yield await self._policies(url, vault.id, secrets)

    async def _permissions(self, url: str, vault: VaultInfo) -> Finding:
        if not vault.by_roles:
            detail = "uses access policies: get, list and set on secrets are required"
            return Finding("vault rights", url, CheckState.UNKNOWN, detail)
        fix = grant_command(self.object_id, "Secret publisher", vault.id)
        wanted = permissions.ON_VAULT
        return await check_permissions(
            self.resources, "vault rights", url, vault.id, wanted, fix, data=True
        )

    async def _events(self, url: str, scope: str) -> Finding:
        try:
            subscriptions = await self.resources.event_types(scope)
        except RotationError as exc:
            return unknown("events", url, str(exc))
        if any(not types or NEAR_EXPIRY in types for types in subscriptions):
            return Finding("events", url, CheckState.OK, "SecretNearExpiry has a subscription")
        detail = "no subscription for SecretNearExpiry; rotation relies on the sweep alone"
        return Finding("events", url, CheckState.WARNING, detail, _subscribe_command(scope))

    async def _policies(self, url: str, scope: str, secrets: Sequence[ListedSecret]) -> Finding:
        try:
            rules = await self.resources.secret_rules(scope)
        except RotationError as exc:
            return unknown("policy", url, str(exc))
        return check_policies(url, rules, secrets)


def _subscribe_command(scope: str) -> str:
    return (
        "Run azd provision with the vault in ROTATION_VAULT_IDS (docs/deploy.md); or manually: "
        "az eventgrid event-subscription create --name key-rotation "
        f"--source-resource-id {scope} --included-event-types {NEAR_EXPIRY} "
        "--endpoint-type azurefunction --endpoint <the function app's id>"
        "/functions/secret_expiring"
    )
