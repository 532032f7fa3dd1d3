"""Permissions, vaults and subscriptions in Resource Manager, for the doctor. Read-only."""

from __future__ import annotations

import base64
import json
from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest

from ..domain.cloud import PUBLIC, Cloud
from ..domain.errors import Transient
from ..domain.permissions import Grant, Identity, VaultInfo
from ..domain.policies import SecretRule
from ..runtime.clock import Clock
from . import policy_rules
from .pipeline import TransportFactory, client_options
from .policy_rules import object_of
from .sdk_errors import failure

# API versions that Azure documents; all are generally available.
PERMISSIONS, POLICIES, DEFINITIONS = "2022-04-01", "2022-06-01", "2021-06-01"

SUBSCRIPTIONS, VAULTS, EVENTS = "2022-12-01", "2023-07-01", "2022-06-15"


class ArmResources:
    """A client for Resource Manager. All methods raise RotationError."""

    def __init__(
        self,
        credential: AsyncTokenCredential,
        clock: Clock,
        cloud: Cloud = PUBLIC,
        transport: TransportFactory | None = None,
    ) -> None:
        self._credential, self._endpoint, self._scope = credential, cloud.manager, cloud.scope
        options = client_options(clock)
        dates = options.pop("per_call_policies")
        if transport:
            options["transport"] = transport()
        chain = [
            policies.UserAgentPolicy(sdk_moniker="azure-ai-key-rotation"),
            policies.AsyncBearerTokenCredentialPolicy(credential, self._scope),
            *dates,
        ]
        self._client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
            base_url=self._endpoint, policies=chain, **options
        )

    async def whoami(self) -> Identity:
        """Return the caller's identity from its token's claims."""
        try:
            token = await self._credential.get_token(self._scope)
        except AzureError as exc:
            raise failure(exc, "sign in") from None
        claims = _claims(token.token)
        name = claims.get("upn") or claims.get("unique_name") or claims.get("appid") or "unknown"
        return Identity(name, claims.get("oid", "unknown"))

    async def grants(self, scope: str) -> list[Grant]:
        """Return the caller's permissions at an ARM id."""
        path = f"{scope}/providers/Microsoft.Authorization/permissions"
        found = await self._all(path, PERMISSIONS, f"read the permissions at {scope}")
        names = ("actions", "notActions", "dataActions", "notDataActions")
        return [Grant(*(_texts(entry.get(name)) for name in names)) for entry in found]

    async def subscriptions(self) -> list[str]:
        """Return the ids of the visible subscriptions."""
        found = await self._all("/subscriptions", SUBSCRIPTIONS, "list the subscriptions")
        return sorted(str(one["subscriptionId"]) for one in found if one.get("subscriptionId"))

    async def vaults(self, subscription: str) -> dict[str, VaultInfo]:
        """Return the visible vaults by URL."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults"
        found = await self._all(path, VAULTS, f"list the vaults of subscription {subscription}")
        return dict(_vault(one) for one in found if one.get("id"))

    async def event_types(self, vault: str) -> list[set[str]]:
        """Return the event types of each event subscription on a vault; an empty set is all.

        Subscriptions exist on the vault and on its system topic, in separate lists.
        """
        doing = f"list the event subscriptions of {vault}"
        topics = await self._all(_subscription(vault) + _TOPICS, EVENTS, doing)
        paths = [f"{vault}/providers/Microsoft.EventGrid/eventSubscriptions"]
        paths += [f"{one.get('id')}/eventSubscriptions" for one in topics if _is_of(one, vault)]
        found = [one for path in paths for one in await self._all(path, EVENTS, doing)]
        filters = [object_of(object_of(one.get("properties")).get("filter")) for one in found]
        return [set(_texts(one.get("includedEventTypes"))) for one in filters]

    async def secret_rules(self, vault: str) -> list[SecretRule]:
        """Return what the assignments of Azure Policy on a vault deny for its secrets."""
        path = f"{vault}/providers/Microsoft.Authorization/policyAssignments"
        listed = await self._all(path, POLICIES, f"list the policies on {vault}")
        assigned = [one for one in listed if policy_rules.applies(one, vault)]
        single = [one for each in assigned for one in await self._members(each)]
        rules = [await self._rule(one) for one in single]
        return [rule for rule in rules if rule]

    async def _members(self, assignment: dict[str, Any]) -> list[dict[str, Any]]:
        """Return an initiative's definitions as assignments; another assignment as it is."""
        if not policy_rules.is_set(assignment):
            return [assignment]
        return policy_rules.members(assignment, await self._definition(assignment))

    async def _rule(self, assignment: dict[str, Any]) -> SecretRule | None:
        if policy_rules.is_builtin(assignment):
            return policy_rules.rule(assignment)
        return policy_rules.rule_of_own(assignment, await self._definition(assignment))

    async def _definition(self, assignment: dict[str, Any]) -> dict[str, Any]:
        path = policy_rules.definition_id(assignment)
        if not path.startswith("/"):
            return {}
        url = f"{self._endpoint}{path}?api-version={DEFINITIONS}"
        return await self._page(url, f"read the policy {path}")

    async def _all(self, path: str, version: str, doing: str) -> list[dict[str, Any]]:
        url: str | None = f"{self._endpoint}{path}?api-version={version}"
        found: list[dict[str, Any]] = []
        while url:
            page = await self._page(url, doing)
            found += [one for one in page.get("value") or () if isinstance(one, dict)]
            url = page.get("nextLink")
        return found

    async def _page(self, url: str, doing: str) -> dict[str, Any]:
        try:
            response = await self._client.send_request(HttpRequest("GET", url))
            await response.read()
            if response.status_code != 200:
                raise HttpResponseError(response=response)
            return object_of(response.json())
        except AzureError as exc:
            raise failure(exc, doing) from None
        except ValueError:
            raise Transient(f"{doing}: the response is not JSON", code="Unreadable") from None

    async def close(self) -> None:
        await self._client.close()


_TOPICS = "/providers/Microsoft.EventGrid/systemTopics"


def _subscription(resource: str) -> str:
    return "/".join(resource.split("/")[:3])


def _is_of(topic: dict[str, Any], vault: str) -> bool:
    return str(object_of(topic.get("properties")).get("source", "")).lower() == vault.lower()


def _texts(found: object) -> tuple[str, ...]:
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _vault(found: dict[str, Any]) -> tuple[str, VaultInfo]:
    properties = object_of(found.get("properties"))
    url = str(properties.get("vaultUri", "")).rstrip("/").lower()
    return url, VaultInfo(str(found["id"]), bool(properties.get("enableRbacAuthorization")))


def _claims(token: str) -> dict[str, Any]:
    """Return a token's claims without verifying them: they are only displayed."""
    try:
        middle = token.split(".")[1]
        return object_of(json.loads(base64.urlsafe_b64decode(middle + "=" * 3)))
    except (IndexError, ValueError):
        return {}
