"""``python -m scripts.roles``: write the roles that the deployment defines for the emulator.

Reads ``infra/modules/roles.bicep`` and writes ``emulator/core/roles.json``. Reading Bicep takes
half a second, which is too long for every start of the emulator.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pycep

_ROOT = Path(__file__).parents[1]
SOURCE = _ROOT / "infra/modules/roles.bicep"
FILE = _ROOT / "emulator/core/roles.json"
COMMAND = "python -m scripts.roles"
_TYPE = "Microsoft.Authorization/roleDefinitions"
_MEMBERS = ("actions", "dataActions")


def definitions(text: str) -> dict[str, dict[str, list[str]]]:
    """Return actions and data actions by role name, without the name's subscription suffix.

    Raises ValueError if a role has exceptions, which the emulator would not enforce.
    """
    parsed: Any = pycep.BicepParser().parse(text=text)
    resources = parsed["resources"].values()
    roles = [r["config"]["properties"] for r in resources if r["type"] == _TYPE]
    return {role["roleName"].partition(" (")[0]: _permission(role) for role in roles}


def _permission(role: dict[str, Any]) -> dict[str, list[str]]:
    (permission,) = role["permissions"]
    if permission["notActions"] or permission["notDataActions"]:
        raise ValueError(f"{role['roleName']}: list the allowed actions, without exceptions")
    return {name: list(permission[name]) for name in _MEMBERS}


def rendered() -> str:
    """Return the text of ``roles.json``."""
    return json.dumps(definitions(SOURCE.read_text()), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(rendered())
