"""Role definitions: the deployment's custom roles, and some of Azure's built-in ones.

``python -m scripts.roles`` writes the custom roles from ``infra/modules/roles.bicep`` to
``roles.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

_FILE = Path(__file__).with_name("roles.json")


@dataclass(frozen=True)
class Role:
    """A role definition: control-plane actions and data actions, with wildcards."""

    name: str
    actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str, *, data: bool) -> bool:
        if data:
            return _any(self.data_actions, action)
        return _any(self.actions, action) and not _any(self.not_actions, action)


def _any(allowed: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in allowed)


def _custom() -> tuple[Role, ...]:
    found = json.loads(_FILE.read_text())
    return tuple(
        Role(name, tuple(role["actions"]), tuple(role["dataActions"]))
        for name, role in found.items()
    )


# Azure's documentation, "Azure built-in roles"; of storage, the actions on queues and blobs.
_SECRETS = "Microsoft.KeyVault/vaults/secrets/"
_LOGS = "Microsoft.OperationalInsights/workspaces/"
_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers/"
_BLOBS = _CONTAINERS + "blobs/"
_QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues/"
_MESSAGES = _QUEUES + "messages/"


def _every(resource: str) -> tuple[str, ...]:
    return tuple(resource + verb for verb in ("delete", "read", "write"))


BUILT_IN = (
    Role("Owner", actions=("*",)),
    Role(
        "Contributor",
        actions=("*",),
        not_actions=(
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    ),
    Role("Reader", actions=("*/read",)),
    Role("Website Contributor", actions=("Microsoft.Web/sites/*",)),
    Role("Container Apps Contributor", actions=("Microsoft.App/containerApps/*",)),
    Role(
        "Cognitive Services Contributor",
        actions=("Microsoft.Authorization/*/read", "Microsoft.CognitiveServices/*"),
    ),
    Role(
        "Cognitive Services User",
        actions=(
            "Microsoft.CognitiveServices/*/read",
            "Microsoft.CognitiveServices/accounts/listKeys/action",
        ),
        data_actions=("Microsoft.CognitiveServices/*",),
    ),
    Role("Key Vault Administrator", data_actions=("Microsoft.KeyVault/vaults/*",)),
    Role("Key Vault Secrets Officer", data_actions=(_SECRETS + "*",)),
    Role(
        "Key Vault Secrets User",
        data_actions=(_SECRETS + "getSecret/action", _SECRETS + "readMetadata/action"),
    ),
    Role(
        "Key Vault Reader",
        actions=("Microsoft.KeyVault/*/read",),
        data_actions=("Microsoft.KeyVault/vaults/*/read", _SECRETS + "readMetadata/action"),
    ),
    Role("EventGrid Data Sender", data_actions=("Microsoft.EventGrid/events/send/action",)),
    Role("EventGrid EventSubscription Contributor", ("Microsoft.EventGrid/eventSubscriptions/*",)),
    Role("Storage Blob Data Reader", (_CONTAINERS + "read",), (_BLOBS + "read",)),
    Role("Storage Blob Data Contributor", _every(_CONTAINERS), (_BLOBS + "*",)),
    Role("Storage Blob Data Owner", (_CONTAINERS + "*",), (_BLOBS + "*",)),
    Role("Storage Queue Data Contributor", _every(_QUEUES), (_MESSAGES + "*",)),
    Role("Storage Queue Data Reader", (_QUEUES + "read",), (_MESSAGES + "read",)),
    Role("Storage Queue Data Message Sender", data_actions=(_MESSAGES + "add/action",)),
    Role(
        "Storage Queue Data Message Processor",
        data_actions=(_MESSAGES + "read", _MESSAGES + "process/action"),
    ),
    Role("Log Analytics Reader", actions=("*/read", _LOGS + "analytics/query/action")),
    Role(
        "Log Analytics Data Reader",
        actions=(_LOGS + "query/read", _LOGS + "read"),
        data_actions=(_LOGS + "tables/data/read",),
    ),
    Role("Monitoring Metrics Publisher", data_actions=("Microsoft.Insights/Metrics/Write",)),
)
CUSTOM = _custom()
ROLES: Mapping[str, Role] = {role.name: role for role in (*CUSTOM, *BUILT_IN)}
