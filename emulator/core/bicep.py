"""The roles that the deployment defines. ``python -m emulator.bicep`` writes them to roles.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pycep

# Not imported from roles.py, which reads the file: it may be missing or out of date here.
FILE = Path(__file__).with_name("roles.json")
SOURCE = Path(__file__).parents[2] / "infra/modules/roles.bicep"
_TYPE = "Microsoft.Authorization/roleDefinitions"
_MEMBERS = ("actions", "dataActions")


def definitions(text: str) -> dict[str, dict[str, list[str]]]:
    """Actions and data actions by the role's name, without the subscription that follows it.

    Raises ValueError where a role has exceptions, which the emulator would not enforce.
    """
    found: Any = pycep.BicepParser().parse(text=text)
    resources = found["resources"].values()
    shown = [r["config"]["properties"] for r in resources if r["type"] == _TYPE]
    return {role["roleName"].partition(" (")[0]: _permission(role) for role in shown}


def _permission(role: dict[str, Any]) -> dict[str, list[str]]:
    (permission,) = role["permissions"]
    if permission["notActions"] or permission["notDataActions"]:
        raise ValueError(f"{role['roleName']}: name what is allowed, without exceptions")
    return {name: list(permission[name]) for name in _MEMBERS}


def rendered() -> str:
    """What ``roles.json`` has to be."""
    return json.dumps(definitions(SOURCE.read_text()), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(rendered())
