"""Reads about subscriptions and vaults: vaults, their permissions, policies and events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ...core.identity import Principal, covers
from ...core.wire import Request, Response
from ..keyvault.vault import Vault
from .errors import ArmError, check_right, no_resource
from .responses import ok, permissions_body
from .vault_responses import (
    SYSTEM_TOPICS,
    VAULTS,
    event_subscription_body,
    subscription_body,
    topic_body,
    topic_id,
    vault_body,
)

_BELOW = r"/subscriptions/(?P<subscription>[^/]+)"
_GROUP = _BELOW + r"/resourcegroups/(?P<group>[^/]+)/providers/"
_VAULT = _GROUP + r"microsoft\.keyvault/vaults/(?P<vault>[^/]+)/providers/"
_POLICIES = r".*/providers/microsoft\.authorization/policy"
_ROUTES = {
    name: re.compile(path + "/?", re.I)
    for name, path in {
        "list_subscriptions": "/subscriptions",
        "list_vaults": _BELOW + r"/providers/microsoft\.keyvault/vaults",
        "list_system_topics": _BELOW + r"/providers/microsoft\.eventgrid/systemtopics",
        "topic_events": _GROUP
        + r"microsoft\.eventgrid/systemtopics/(?P<vault>[^/]+)-events/eventsubscriptions",
        "vault_permissions": _VAULT + r"microsoft\.authorization/permissions",
        "vault_policies": _VAULT + r"microsoft\.authorization/policyassignments",
        "vault_events": _VAULT + r"microsoft\.eventgrid/eventsubscriptions",
        "policy_definition": _POLICIES + "(?:set)?definitions/[^/]+",
    }.items()
}
# The permissions API needs no right.
_ACTIONS = {
    "vault_policies": "Microsoft.Authorization/policyAssignments/read",
    "vault_events": "Microsoft.EventGrid/eventSubscriptions/read",
    "topic_events": f"{SYSTEM_TOPICS}/eventSubscriptions/read",
}


@dataclass(frozen=True)
class VaultRequest:
    """A read's public name, and its parts as the caller wrote them; absent parts are empty."""

    name: str
    subscription: str = ""
    group: str = ""
    vault: str = ""


def parse(request: Request) -> VaultRequest | None:
    """Return the read that a request names, or None."""
    path = unquote(request.path)
    for name, route in _ROUTES.items():
        found = route.fullmatch(path)
        if found and request.method == "GET":
            return VaultRequest(name, **found.groupdict())
    return None


def list_subscriptions(principal: Principal, subscriptions: Iterable[str]) -> Response:
    """Return the subscriptions in which the principal has any right."""
    visible = [s for s in subscriptions if _has_right_in(principal, s)]
    return ok({"value": [subscription_body(s) for s in visible]})


def policy_definition(
    request: Request, principal: Principal, definitions: Mapping[str, Mapping[str, Any]]
) -> Response:
    """Return a definition or an initiative; everybody may read Azure's own. Raises ArmError."""
    path = unquote(request.path).rstrip("/")
    scope = path.lower().partition("/providers/microsoft.authorization/")[0]
    if scope:
        check_right(principal, "Microsoft.Authorization/policyDefinitions/read", scope)
    found = definitions.get(path.lower())
    if found is None:
        raise ArmError(404, "PolicyDefinitionNotFound", "The policy definition could not be found.")
    return ok({"id": path, "properties": dict(found)})


def respond(request: VaultRequest, principal: Principal, vaults: Iterable[Vault]) -> Response:
    """Return the response to a read in one subscription. Raises ArmError."""
    subscription = request.subscription.lower()
    below = [v for v in vaults if v.subscription.lower() == subscription]
    if request.name == "list_vaults":
        readable = [v for v in below if principal.may(f"{VAULTS}/read", v.id)]
        return ok({"value": [vault_body(v) for v in readable]})
    if request.name == "list_system_topics":
        readable = [v for v in below if principal.may(f"{SYSTEM_TOPICS}/read", topic_id(v))]
        return ok({"value": [topic_body(v) for v in readable]})
    wanted = (request.group.lower(), request.vault.lower())
    for vault in below:
        if (vault.resource_group.lower(), vault.name.lower()) == wanted:
            return _about(request.name, vault, principal)
    raise no_resource(f"{VAULTS}/{request.vault}", request.group)


def _about(name: str, vault: Vault, principal: Principal) -> Response:
    if name == "vault_permissions":
        return ok(permissions_body(principal, vault.id))
    check_right(principal, _ACTIONS[name], topic_id(vault) if name == "topic_events" else vault.id)
    if name == "vault_policies":
        return ok({"value": [dict(policy) for policy in vault.assignments]})
    # A subscription belongs to the vault's system topic; the vault itself has none.
    found = vault.topic.subscriptions if name == "topic_events" else []
    return ok({"value": [event_subscription_body(vault, s) for s in found]})


def _has_right_in(principal: Principal, subscription: str) -> bool:
    scope = f"/subscriptions/{subscription}"
    granted = (granted for granted, _ in principal.assignments)
    return any(covers(one, scope) or covers(scope, one) for one in granted)
