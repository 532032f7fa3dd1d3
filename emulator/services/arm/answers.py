"""What Resource Manager answers: accounts, keys, permissions, and errors."""

from __future__ import annotations

import uuid
from typing import Any

from ...core.identity import Principal, covers
from ...core.wire import Response
from ..accounts import Account

PROVIDER = "Microsoft.CognitiveServices/accounts"


class Refused(Exception):
    """An ARM error: status, code, message, and headers such as Retry-After."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def permissions(principal: Principal, scope: str) -> dict[str, Any]:
    """What the permissions API says of a principal on a scope."""
    roles = [role for granted, role in principal.assignments if covers(granted, scope)]
    value = [
        {
            "actions": list(role.actions),
            "notActions": [],
            "dataActions": list(role.data_actions),
            "notDataActions": [],
        }
        for role in roles
    ]
    return {"value": value}


def both(keys: dict[str, str]) -> dict[str, str]:
    """Both keys, as listKeys and regenerateKey answer them."""
    return {"key1": keys["Key1"], "key2": keys["Key2"]}


def shown(account: Account) -> dict[str, Any]:
    """An account as ARM shows it."""
    made = account.created.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
    return {
        "id": account.id,
        "name": account.name,
        "type": PROVIDER,
        "etag": f'"{uuid.uuid5(uuid.NAMESPACE_URL, account.id)}"',
        "location": account.location,
        "sku": {"name": "S0"},
        "kind": account.kind,
        "tags": dict(account.tags),
        "identity": {"type": "None"},
        "systemData": {"createdBy": "demo@example.com", "createdByType": "User", "createdAt": made},
        "properties": {
            "endpoint": account.endpoint,
            "provisioningState": account.provisioning_state,
            "internalId": uuid.uuid5(uuid.NAMESPACE_DNS, account.id).hex,
            "dateCreated": made,
            "callRateLimit": {"rules": []},
            "isMigrated": False,
            "customSubDomainName": account.name.lower() if account.custom_domain else None,
            "networkAcls": _network(account),
            "privateEndpointConnections": [],
            "publicNetworkAccess": "Enabled" if account.public_network else "Disabled",
            "disableLocalAuth": account.disable_local_auth,
            "capabilities": [{"name": "VirtualNetworks"}, {"name": "CustomerManagedKey"}],
            "endpoints": account.api_endpoints(),
            **({"allowProjectManagement": True} if account.kind.lower() == "aiservices" else {}),
        },
    }


def _network(account: Account) -> dict[str, Any]:
    rules = {
        "defaultAction": account.default_action,
        "virtualNetworkRules": [],
        "ipRules": [{"value": address} for address in account.ip_rules],
    }
    return rules | ({"bypass": "AzureServices"} if account.default_action == "Deny" else {})


def _headers() -> dict[str, str]:
    request_id = str(uuid.uuid4())
    return {
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request_id,
        "x-ms-routing-request-id": f"WESTEUROPE:{request_id}",
        "Cache-Control": "no-cache",
    }


def ok(body: object) -> Response:
    """200 with a JSON body."""
    return Response.of_json(200, body, _headers())


def no_route(path: str) -> Refused:
    """No such resource or action."""
    return Refused(404, "InvalidResourceType", f"There is no such resource or action: {path}")


def error(refusal: Refused) -> Response:
    """An error as ARM words it."""
    body = {"error": {"code": refusal.code, "message": refusal.message}}
    return Response.of_json(refusal.status, body, _headers() | refusal.headers)
