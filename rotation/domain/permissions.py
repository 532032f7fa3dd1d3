"""Grants of a caller at a scope, with wildcards and exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

_ACCOUNT = "Microsoft.CognitiveServices/accounts/"

_SECRETS = "Microsoft.KeyVault/vaults/secrets/"

# What a rotation does to an account and to a vault; the custom roles allow exactly these.
ON_ACCOUNT = tuple(_ACCOUNT + name for name in ("read", "listKeys/action", "regenerateKey/action"))

ON_VAULT = tuple(
    _SECRETS + name
    for name in (
        "getSecret/action",
        "setSecret/action",
        "update/action",
        "readMetadata/action",
    )
)

# What a refresh of a Container App needs. Azure publishes no name for the action that refreshes
# the references of an App Service app, so a grant must allow everything below its configuration,
# as the built-in role Website Contributor does.
ON_CONTAINER_APP = (
    "Microsoft.App/containerApps/revisions/read",
    "Microsoft.App/containerApps/revisions/restart/action",
)

ON_SITE, ON_SLOT = ("Microsoft.Web/sites/config/*",), ("Microsoft.Web/sites/slots/config/*",)


def on_app(resource: str) -> tuple[str, ...]:
    """Return the actions that a refresh of an app needs; ``resource`` is its ARM id."""
    path = resource.lower()
    if "/microsoft.app/" in path:
        return ON_CONTAINER_APP
    return ON_SLOT if "/slots/" in path else ON_SITE


@dataclass(frozen=True)
class VaultInfo:
    """A vault's ARM id, and whether it uses roles or access policies."""

    id: str
    by_roles: bool


@dataclass(frozen=True)
class Identity:
    """An identity as named in its token."""

    name: str
    object_id: str


@dataclass(frozen=True)
class Grant:
    """One entry of the permissions API: what one role assignment gives and leaves out."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        return _in(action, self.actions) and not _in(action, self.not_actions)

    def allows_data(self, action: str) -> bool:
        return _in(action, self.data_actions) and not _in(action, self.not_data_actions)


def missing(grants: Iterable[Grant], wanted: Iterable[str], *, data: bool = False) -> list[str]:
    """Return the wanted actions that no grant allows."""
    grants = list(grants)
    return [
        action
        for action in wanted
        if not any(g.allows_data(action) if data else g.allows(action) for g in grants)
    ]


def _in(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
