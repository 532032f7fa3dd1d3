"""Checks of one vault: permissions, the event subscription, and a policy on validity."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from ...domain import permissions, tags
from ...domain.errors import RotationError
from ...domain.events import NEAR_EXPIRY
from ...domain.permissions import VaultInfo
from ...domain.targets import ListedSecret
from ...ports import Resources
from .findings import CheckState, Finding, unknown
from .permissions import check_permissions, grant_command


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
        yield await self._validity(url, vault.id, secrets)

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

    async def _validity(self, url: str, scope: str, secrets: Sequence[ListedSecret]) -> Finding:
        try:
            limit = await self.resources.longest_validity(scope)
        except RotationError as exc:
            return unknown("policy", url, str(exc))
        if limit is None:
            detail = "no policy limits the validity of secrets"
            return Finding("policy", url, CheckState.OK, detail)
        too_long = [s.target.name for s in secrets if _validity_days(s) > limit]
        if not too_long:
            detail = f"at most {limit} days, and every secret complies"
            return Finding("policy", url, CheckState.OK, detail)
        detail = (
            f"Azure Policy denies more than {limit} days; "
            f"a new version would be refused for {', '.join(too_long)}"
        )
        fix = f"Set ValidityPeriodDays to at most {limit}."
        return Finding("policy", url, CheckState.FAILED, detail, fix)


def _subscribe_command(scope: str) -> str:
    return (
        "Run azd provision with the vault in ROTATION_VAULT_IDS (docs/deploy.md); or manually: "
        "az eventgrid event-subscription create --name key-rotation "
        f"--source-resource-id {scope} --included-event-types {NEAR_EXPIRY} "
        "--endpoint-type azurefunction --endpoint <the function app's id>"
        "/functions/secret_expiring"
    )


def _validity_days(secret: ListedSecret) -> int:
    enrolment = tags.read(secret.tags) if secret.account else None
    return enrolment.validity.days if enrolment and enrolment.validity else 0
