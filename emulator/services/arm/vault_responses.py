"""Resource Manager's bodies about subscriptions, vaults, their system topics and policies."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ...core.identity import TENANT
from ..eventgrid.subscription import Subscription
from ..keyvault.vault import Vault

VAULTS = "Microsoft.KeyVault/vaults"
SYSTEM_TOPICS = "Microsoft.EventGrid/systemTopics"


def topic_id(vault: Vault) -> str:
    """Return the ARM id of the vault's system topic."""
    group = vault.id.partition("/providers/")[0]
    return f"{group}/providers/{SYSTEM_TOPICS}/{vault.name}-events"


def topic_body(vault: Vault) -> dict[str, Any]:
    return {
        "id": topic_id(vault),
        "name": f"{vault.name}-events",
        "type": SYSTEM_TOPICS,
        "location": vault.location,
        "properties": {
            "provisioningState": "Succeeded",
            "source": vault.id,
            "topicType": "Microsoft.KeyVault.vaults",
        },
    }


def subscription_body(subscription: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}",
        "subscriptionId": subscription,
        "tenantId": TENANT,
        "displayName": f"Subscription {subscription[:8]}",
        "state": "Enabled",
    }


def vault_body(vault: Vault) -> dict[str, Any]:
    return {
        "id": vault.id,
        "name": vault.name,
        "type": VAULTS,
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


def event_subscription_body(vault: Vault, subscription: Subscription) -> dict[str, Any]:
    types = [_event_type(event_type) for event_type in subscription.types]
    cloud = subscription.schema == "cloudevents"
    return {
        "id": f"{topic_id(vault)}/eventSubscriptions/{subscription.name}",
        "name": subscription.name,
        "type": f"{SYSTEM_TOPICS}/eventSubscriptions",
        "properties": {
            "topic": topic_id(vault),
            "provisioningState": "Succeeded",
            "destination": _destination(subscription),
            "filter": {
                "subjectBeginsWith": subscription.begins,
                "subjectEndsWith": subscription.ends,
                "includedEventTypes": types or None,
            },
            "eventDeliverySchema": "CloudEventSchemaV1_0" if cloud else "EventGridSchema",
            "retryPolicy": {
                "maxDeliveryAttempts": subscription.max_attempts,
                "eventTimeToLiveInMinutes": subscription.ttl_minutes,
            },
        },
    }


def _destination(subscription: Subscription) -> dict[str, Any]:
    """Return the destination; ARM does not show a webhook's query, which holds its secret."""
    if subscription.queue:
        properties = {"queueName": subscription.queue}
        return {"endpointType": "StorageQueue", "properties": properties}
    properties = {"endpointBaseUrl": subscription.url.partition("?")[0]}
    return {"endpointType": "WebHook", "properties": properties}


def _event_type(event_type: str) -> str:
    return event_type if "." in event_type else f"Microsoft.KeyVault.{event_type}"


def policy_assignment(definition: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy assignment as ARM shows it."""
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
