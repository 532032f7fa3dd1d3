"""The saved address and scope of the service, in one file of the user's settings.

The file holds no secret: ``keyrotation config`` accepts no other name.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import typer

from .exit_status import CommandError, ExitStatus

_RULES = {
    "url": (re.compile(r"https?://[^\s/?#@]+/?"), "https://my-app.azurewebsites.net"),
    "scope": (re.compile(r"(api|https)://\S+/\.default"), "api://my-app-id/.default"),
}
NAMES = tuple(_RULES)


def path() -> Path:
    """Return the file, which may not exist."""
    home = os.environ.get("KEYROTATION_CONFIG") or typer.get_app_dir("keyrotation")
    return Path(home) / "config.json"


def read() -> dict[str, str]:
    """Return all saved values. Raises CommandError if the file cannot be read."""
    try:
        found = json.loads(path().read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise CommandError(
            ExitStatus.USAGE, f"{path()} cannot be read.", "Delete it and save the values again."
        )
    return {name: str(found[name]) for name in NAMES if name in found}


def get(name: str) -> str:
    """Return a saved value, or an empty text."""
    return read().get(name, "")


def save(name: str, value: str) -> None:
    """Save a value; an empty one removes it. Raises CommandError for a bad name or value."""
    if name not in _RULES:
        raise CommandError(ExitStatus.USAGE, "There is no such name.", f"Use {' or '.join(NAMES)}.")
    rule, example = _RULES[name]
    if value and not rule.fullmatch(value):
        raise CommandError(ExitStatus.USAGE, f"This is not a {name}.", f"Example: {example}")
    kept = {**read(), name: value}
    path().parent.mkdir(parents=True, exist_ok=True)
    path().write_text(json.dumps({n: v for n, v in kept.items() if v}, indent=2) + "\n")
