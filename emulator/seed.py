"""Builds an Azure from JSON without keys: a secret names the slot that it publishes.

    {
      "accounts": [{"name": "aoai-demo", "kind": "OpenAI"}],
      "vaults": [{"name": "kv-demo", "secrets": [{
        "name": "ai-key", "publishes": ["aoai-demo", "Key1"], "expires_in": 864000,
        "tags": {"ProviderAddress": "id:aoai-demo", "ValidityPeriodDays": "90"}}]}],
      "principals": [{"name": "rotation", "roles": [
        {"role": "Key rotator", "scope": "id:aoai-demo"},
        {"role": "Secret publisher", "scope": "id:kv-demo"}]}],
      "topics": ["rotations"],
      "storage": ["strotation"],
      "subscriptions": [{"vault": "kv-demo", "url": "http://127.0.0.1:7071/…"}],
      "locks": ["id:aoai-demo"]
    }

In a sovereign cloud, an account or a topic has ``"cloud": "azure.us"`` or ``"azure.cn"``, and a
vault the ``suffix`` ``vault.usgovcloudapi.net`` or ``vault.azure.cn``. Such a topic is an object
with ``name``.

Times are in seconds. ``id:NAME`` stands for an ARM id: in a tag an account's; in a scope or a lock
an account's, a vault's, a topic's or a storage account's. A lock may be an object with ``scope``
and ``level``. A role is an object with ``role`` and ``scope``, or with
``actions``, ``dataActions`` and ``scope``, or a name, which grants the role on everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from .azure import Azure
from .core import clouds
from .core.identity import Principal
from .core.roles import ROLES, Role
from .services.eventgrid.subscription import Subscription

MEMBERS = ("accounts", "vaults", "topics", "storage", "principals", "subscriptions", "locks")
_NOT_OF_THE_VAULT = ("secrets", "near_delay", "rearms")
_TIMES = ("new_key_delay", "old_key_lag", "stale_for", "deletion_delay")
_ENROLLED = ("aoai-demo", "speech-demo")
PLAYGROUND: dict[str, Any] = {
    "accounts": [{"name": "aoai-demo"}, {"name": "speech-demo", "kind": "SpeechServices"}],
    "vaults": [
        {
            "name": "kv-demo",
            "secrets": [
                {
                    "name": f"{account}-key",
                    "publishes": [account, "Key1"],
                    "expires_in": 80 * 86400,
                    "tags": {"ProviderAddress": f"id:{account}", "ValidityPeriodDays": "90"},
                }
                for account in _ENROLLED
            ],
        }
    ],
    "principals": [
        {
            "name": "rotation",
            "roles": [
                *({"role": "Key rotator", "scope": f"id:{account}"} for account in _ENROLLED),
                {"role": "Secret publisher", "scope": "id:kv-demo"},
                {"role": "EventGrid Data Sender", "scope": "id:rotations"},
            ],
        }
    ],
    "topics": ["rotations"],
}


def plant(azure: Azure, seed: Mapping[str, Any]) -> None:
    """Add everything in the seed. Raises ValueError with the fault and its place."""
    unknown = set(seed) - set(MEMBERS)
    if unknown:
        raise ValueError(f"a seed has no {', '.join(sorted(unknown))}; known: {', '.join(MEMBERS)}")
    steps: dict[str, Callable[[Any], object]] = {
        "accounts": lambda m: azure.add_account(**_timed(m)),
        "vaults": lambda m: _vault(azure, m),
        "storage": lambda m: azure.add_storage(m),
        "principals": lambda m: _principal(azure, m),
        "topics": lambda m: _topic(azure, m),
        "subscriptions": lambda m: azure.vault(m["vault"]).topic.subscribe(subscription(m)),
        "locks": lambda m: _lock(azure, m),
    }
    for name in MEMBERS:
        for index, member in enumerate(seed.get(name, ())):
            try:
                steps[name](member)
            except (TypeError, KeyError, AttributeError, ValueError, OverflowError) as exc:
                raise ValueError(f"{name}[{index}]: {exc}") from None


def subscription(members: Mapping[str, Any]) -> Subscription:
    """Return the Event Grid subscription of a seed's member."""
    rest = {name: value for name, value in members.items() if name != "vault"}
    if "types" in rest:
        rest["types"] = tuple(rest["types"])
    return Subscription(**rest)


def _vault(azure: Azure, members: Mapping[str, Any]) -> None:
    rest = {name: value for name, value in members.items() if name not in _NOT_OF_THE_VAULT}
    vault = azure.add_vault(**_timed(rest))
    vault.events.rearms = bool(members.get("rearms"))
    if "near_delay" in members:
        vault.events.near_delay = timedelta(seconds=members["near_delay"])
    for each in members.get("secrets", ()):
        secret(azure, vault.name, dict(each))


def secret(azure: Azure, vault: str, members: dict[str, Any]) -> None:
    """Add a version of a secret."""
    expires_in = members.pop("expires_in", None)
    if expires_in is not None:
        members["expires"] = azure.clock.now() + timedelta(seconds=expires_in)
    if "publishes" in members:
        members["publishes"] = tuple(members["publishes"])
    tags = members.get("tags") or {}
    members["tags"] = {name: _resolved(azure, str(text)) for name, text in tags.items()}
    azure.add_secret(vault, members.pop("name"), **members)


def _topic(azure: Azure, member: str | Mapping[str, str]) -> None:
    if isinstance(member, str):
        azure.topics.add(member)
    else:
        azure.topics.add(member["name"], cloud=clouds.of_accounts(member["cloud"]))


def _resolved(azure: Azure, text: str) -> str:
    return azure.account(text.removeprefix("id:")).id if text.startswith("id:") else text


def _principal(azure: Azure, members: Mapping[str, Any]) -> Principal:
    rest = {name: value for name, value in members.items() if name != "roles"}
    principal = azure.add_principal(**rest)
    for role in members.get("roles", ()):
        principal.assign(*_assignment(azure, role))
    return principal


def _assignment(azure: Azure, role: str | Mapping[str, Any]) -> tuple[Role, str]:
    if isinstance(role, str):
        return _known(role), "/"
    scope = _scope(azure, str(role.get("scope", "/")))
    if "role" in role:
        return _known(role["role"]), scope
    actions, data_actions = role.get("actions", ()), role.get("dataActions", ())
    return Role("custom", tuple(actions), tuple(data_actions)), scope


def _lock(azure: Azure, member: str | Mapping[str, str]) -> None:
    """Add a lock: a scope, or a scope and a level."""
    found = {"scope": member} if isinstance(member, str) else dict(member)
    azure.lock(_scope(azure, found.pop("scope")), **found)


def _scope(azure: Azure, text: str) -> str:
    """Return the ARM id for ``id:NAME``, or the text itself."""
    if not text.startswith("id:"):
        return text
    ids = [a.id for a in azure.accounts.by_id.values()]
    ids += [v.id for v in azure.keyvault.vaults.values()] + list(azure.topics.scopes.values())
    ids += [s.id for s in azure.storage.accounts.values()]
    for found in ids:
        if found.rpartition("/")[2].lower() == text.removeprefix("id:").lower():
            return found
    raise ValueError(f"there is no account, vault or topic for {text!r}")


def _known(name: str) -> Role:
    if name not in ROLES:
        raise ValueError(f"there is no role {name!r}; known: {', '.join(ROLES)}")
    return ROLES[name]


def _timed(members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: timedelta(seconds=value) if name in _TIMES else value
        for name, value in members.items()
    }
