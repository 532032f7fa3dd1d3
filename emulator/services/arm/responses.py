"""Resource Manager's responses: accounts, keys, permissions, and errors."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from ...core.identity import Principal
from ...core.wire import Response
from ..accounts import Account
from .errors import ArmError

ACCOUNTS = "Microsoft.CognitiveServices/accounts"


def permissions_body(principal: Principal, scope: str) -> dict[str, Any]:
    """Return the permissions API's body: the principal's roles on the scope or above it."""
    value = [
        {
            "actions": list(role.actions),
            "notActions": list(role.not_actions),
            "dataActions": list(role.data_actions),
            "notDataActions": [],
        }
        for role in principal.roles_on(scope)
    ]
    return {"value": value}


def keys_body(keys: dict[str, str]) -> dict[str, str]:
    """Return both keys: the body of listKeys and of regenerateKey."""
    return {"key1": keys["Key1"], "key2": keys["Key2"]}


def account_body(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "type": ACCOUNTS,
        "etag": f'"{uuid.uuid5(uuid.NAMESPACE_URL, account.id)}"',
        "location": account.location,
        "sku": {"name": "S0"},
        "kind": account.kind,
        "tags": dict(account.tags),
        "identity": {"type": "None"},
        "systemData": _system_data(account.created),
        "properties": _properties(account),
    }


def _system_data(created: datetime) -> dict[str, str]:
    """Nothing here changes an account's resource, so its last change is its creation."""
    who = "demo@example.com"
    return {
        "createdBy": who,
        "createdByType": "User",
        "createdAt": _ticks(created),
        "lastModifiedBy": who,
        "lastModifiedByType": "User",
        "lastModifiedAt": _ticks(created),
    }


def _properties(account: Account) -> dict[str, Any]:
    """Return the properties; ARM leaves out ``disableLocalAuth`` if it was never set."""
    optional: dict[str, bool] = {}
    if account.disable_local_auth is not None:
        optional["disableLocalAuth"] = account.disable_local_auth
    if account.kind.lower() == "aiservices":
        optional["allowProjectManagement"] = True
    return {
        "endpoint": account.endpoint,
        "provisioningState": account.provisioning_state,
        "internalId": uuid.uuid5(uuid.NAMESPACE_DNS, account.id).hex,
        "dateCreated": _ticks(account.created),
        "callRateLimit": {"rules": []},
        "isMigrated": False,
        "customSubDomainName": account.name.lower() if account.custom_domain else None,
        "networkAcls": _network(account),
        "privateEndpointConnections": [],
        "publicNetworkAccess": "Enabled" if account.public_network else "Disabled",
        "capabilities": [{"name": "VirtualNetworks"}, {"name": "CustomerManagedKey"}],
        "endpoints": account.api_endpoints(),
        **optional,
    }


def _ticks(moment: datetime) -> str:
    """Return ARM's time format, with seven decimals."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def _network(account: Account) -> dict[str, Any]:
    rules = {
        "defaultAction": account.default_action,
        "virtualNetworkRules": [],
        "ipRules": [{"value": address} for address in account.ip_rules],
    }
    return rules | ({"bypass": "AzureServices"} if account.default_action == "Deny" else {})


def identification(now: datetime) -> dict[str, str]:
    """Return the headers that name a response, its route and its time."""
    request_id = str(uuid.uuid4())
    return {
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request_id,
        "x-ms-routing-request-id": f"WESTEUROPE:{now:%Y%m%dT%H%M%SZ}:{request_id}",
        "Cache-Control": "no-cache",
    }


def ok(body: object) -> Response:
    """Return 200 with a JSON body."""
    return Response.of_json(200, body)


def error_response(error: ArmError) -> Response:
    body = {"error": {"code": error.code, "message": error.message}}
    return Response.of_json(error.status, body, error.headers)
