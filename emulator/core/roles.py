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

    def allows(self, action: str, *, data: bool) -> bool:
        return _any(self.data_actions if data else self.actions, action)


def _any(allowed: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in allowed)


def _custom() -> tuple[Role, ...]:
    found = json.loads(_FILE.read_text())
    return tuple(
        Role(name, tuple(role["actions"]), tuple(role["dataActions"]))
        for name, role in found.items()
    )


# As "Azure built-in roles" has them, of what the emulator knows.
_SECRETS = "Microsoft.KeyVault/vaults/secrets/"
_LOGS = "Microsoft.OperationalInsights/workspaces/"
BUILT_IN = (
    Role("Owner", actions=("*",)),
    Role("Reader", actions=("*/read",)),
    Role("Cognitive Services Contributor", actions=("Microsoft.CognitiveServices/*",)),
    Role("Key Vault Secrets Officer", data_actions=(_SECRETS + "*",)),
    Role(
        "Key Vault Secrets User",
        data_actions=(_SECRETS + "getSecret/action", _SECRETS + "readMetadata/action"),
    ),
    Role(
        "Key Vault Reader",
        actions=("Microsoft.KeyVault/*/read",),
        data_actions=(_SECRETS + "readMetadata/action",),
    ),
    Role("EventGrid Data Sender", data_actions=("Microsoft.EventGrid/events/send/action",)),
    Role(
        "Log Analytics Data Reader",
        actions=(_LOGS + "query/read", _LOGS + "read"),
        data_actions=(_LOGS + "tables/data/read",),
    ),
)
CUSTOM = _custom()
ROLES: Mapping[str, Role] = {role.name: role for role in (*CUSTOM, *BUILT_IN)}
