"""Resource Manager beside the accounts: subscriptions, and what it tells of a vault. Reads only."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ...core.identity import TENANT, Principal, covers
from ...core.wire import Request, Response
from ..eventgrid.subscription import Subscription
from ..keyvault.vault import Vault
from .answers import Refused, ok, permissions

KEY_VAULT = "Microsoft.KeyVault/vaults"
SYSTEM_TOPICS = "Microsoft.EventGrid/systemTopics"
_BELOW = r"/subscriptions/(?P<subscription>[^/]+)"
_VAULT = _BELOW + r"/resourcegroups/[^/]+/providers/microsoft\.keyvault/vaults/(?P<vault>[^/]+)"
_TOPIC = _BELOW + r"/resourcegroups/[^/]+/providers/microsoft\.eventgrid/systemtopics/"
_ROUTES = {
    name: re.compile(path + "/?", re.I)
    for name, path in {
        "list_subscriptions": "/subscriptions",
        "list_vaults": _BELOW + r"/providers/microsoft\.keyvault/vaults",
        "list_system_topics": _BELOW + r"/providers/microsoft\.eventgrid/systemtopics",
        "topic_events": _TOPIC + r"(?P<vault>[^/]+)-events/eventsubscriptions",
        "vault_permissions": _VAULT + r"/providers/microsoft\.authorization/permissions",
        "vault_policies": _VAULT + r"/providers/microsoft\.authorization/policyassignments",
        "vault_events": _VAULT + r"/providers/microsoft\.eventgrid/eventsubscriptions",
    }.items()
}
# What reading something about a vault needs; the permissions API itself needs no right.
_ACTIONS = {
    "vault_policies": "Microsoft.Authorization/policyAssignments/read",
    "vault_events": "Microsoft.EventGrid/eventSubscriptions/read",
    "topic_events": f"{SYSTEM_TOPICS}/eventSubscriptions/read",
}
Check = Callable[[Principal, str, str], None]


@dataclass(frozen=True)
class About:
    """What is asked, by its public name; subscription and vault as the caller wrote them."""

    name: str
    subscription: str = ""
    vault: str = ""


def asked(request: Request) -> About | None:
    """What a request asks for here, or None where nothing here answers it."""
    path = unquote(request.path)
    for name, route in _ROUTES.items():
        found = route.fullmatch(path)
        if found and request.method == "GET":
            return About(name, **found.groupdict())
    return None


def answer(
    about: About,
    principal: Principal,
    subscriptions: Iterable[str],
    vaults: Mapping[str, Vault],
    check: Check,
) -> Response:
    """``check`` raises Refused."""
    below = [v for v in vaults.values() if v.subscription.lower() == about.subscription.lower()]
    if about.name == "list_subscriptions":
        return ok({"value": [_subscription(s) for s in subscriptions if _sees(principal, s)]})
    if about.name == "list_vaults":
        return ok({"value": [_vault(v) for v in below if _may_read(principal, v)]})
    if about.name == "list_system_topics":
        return ok({"value": [_topic(v) for v in below if _may_read_topic(principal, v)]})
    vault = next((v for v in below if v.name.lower() == about.vault.lower()), None)
    if vault is None:
        text = f"The Resource '{KEY_VAULT}/{about.vault}' was not found."
        raise Refused(404, "ResourceNotFound", text)
    return _about(about.name, vault, principal, check)


def _about(name: str, vault: Vault, principal: Principal, check: Check) -> Response:
    if name in _ACTIONS:
        check(principal, _ACTIONS[name], _topic_id(vault) if name == "topic_events" else vault.id)
    if name == "vault_permissions":
        return ok(permissions(principal, vault.id))
    if name == "vault_policies":
        return ok({"value": [dict(policy) for policy in vault.assignments]})
    # Subscriptions were made on the vault's system topic; the vault has none of its own.
    found = vault.topic.subscriptions if name == "topic_events" else []
    return ok({"value": [_event_subscription(vault, s) for s in found]})


def _sees(principal: Principal, subscription: str) -> bool:
    """Whoever has a right anywhere in a subscription sees that it is there."""
    scope = f"/subscriptions/{subscription}"
    granted = (granted for granted, _ in principal.assignments)
    return any(covers(one, scope) or covers(scope, one) for one in granted)


def _may_read(principal: Principal, vault: Vault) -> bool:
    return principal.may(f"{KEY_VAULT}/read", vault.id)


def _may_read_topic(principal: Principal, vault: Vault) -> bool:
    return principal.may(f"{SYSTEM_TOPICS}/read", _topic_id(vault))


def _topic_id(vault: Vault) -> str:
    group = vault.id.partition("/providers/")[0]
    return f"{group}/providers/{SYSTEM_TOPICS}/{vault.name}-events"


def _topic(vault: Vault) -> dict[str, Any]:
    return {
        "id": _topic_id(vault),
        "name": f"{vault.name}-events",
        "type": SYSTEM_TOPICS,
        "location": vault.location,
        "properties": {
            "provisioningState": "Succeeded",
            "source": vault.id,
            "topicType": "Microsoft.KeyVault.vaults",
        },
    }


def _subscription(name: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{name}",
        "subscriptionId": name,
        "tenantId": TENANT,
        "displayName": f"Subscription {name[:8]}",
        "state": "Enabled",
    }


def _vault(vault: Vault) -> dict[str, Any]:
    return {
        "id": vault.id,
        "name": vault.name,
        "type": KEY_VAULT,
        "location": vault.location,
        "tags": {},
        "properties": {
            "sku": {"family": "A", "name": "standard"},
            "tenantId": TENANT,
            "enableRbacAuthorization": vault.policies is None,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": vault.retention_days,
            "vaultUri": f"{vault.url}/",
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled" if vault.public_network else "Disabled",
        },
    }


def _event_subscription(vault: Vault, found: Subscription) -> dict[str, Any]:
    return {
        "id": f"{_topic_id(vault)}/eventSubscriptions/{found.name}",
        "name": found.name,
        "type": f"{SYSTEM_TOPICS}/eventSubscriptions",
        "properties": {
            "topic": _topic_id(vault),
            "provisioningState": "Succeeded",
            "destination": _destination(found.url),
            "filter": {
                "subjectBeginsWith": found.begins,
                "subjectEndsWith": found.ends,
                "includedEventTypes": [_event_type(kind) for kind in found.types] or None,
            },
            "eventDeliverySchema": "EventGridSchema",
        },
    }


def _destination(url: str) -> dict[str, Any]:
    kind, _, name = url.partition(":")
    if kind == "queue":
        return {"endpointType": "StorageQueue", "properties": {"queueName": name}}
    # The rest of the URL is a secret, which ARM does not show.
    properties = {"endpointBaseUrl": url.partition("?")[0]}
    return {"endpointType": "WebHook", "properties": properties}


def _event_type(kind: str) -> str:
    return kind if "." in kind else f"Microsoft.KeyVault.{kind}"


def policy(definition: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A policy assignment as ARM shows it; the emulator's vault enforces none."""
    name = uuid.uuid5(uuid.NAMESPACE_OID, definition).hex[:24]
    definition = f"/providers/Microsoft.Authorization/policyDefinitions/{definition}"
    return {
        "name": name,
        "type": "Microsoft.Authorization/policyAssignments",
        "properties": {
            "policyDefinitionId": definition,
            "enforcementMode": "Default",
            "parameters": {key: {"value": value} for key, value in parameters.items()},
        },
    }
