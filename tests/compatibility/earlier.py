"""Documents of the earlier version, and its reading of a document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

DOCUMENTS = {path.stem: path.read_bytes() for path in sorted(DATA.glob("journal/*.json"))}

MESSAGES: dict[str, str] = json.loads((DATA / "messages.json").read_text())

SWEEP = (DATA / "sweep.json").read_bytes()

SCHEMA: dict[str, list[str]] = json.loads((DATA / "schema.json").read_text())

# The members of the earlier version's classes that hold other classes.
_NESTED = {
    "Record": {
        "operation": "Operation",
        "intent": "Intent",
        "wishes": "Wish",
        "seen": "Seen",
        "blocked": "Trouble",
        "trouble": "Trouble",
        "outbox": "Notice",
        "history": "Operation",
    },
    "Operation": {"puts": "Put", "audit": "Entry"},
}

_MAPPINGS = ("seen", "puts")


def rewritten(document: bytes) -> bytes:
    """The document after the earlier version read it and wrote it: unknown members are gone."""
    return json.dumps(_known(json.loads(document), "Record")).encode()


def _known(value: Any, kind: str) -> Any:
    if isinstance(value, list):
        return [_known(one, kind) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _nested(member, kind, name) for name, member in value.items() if name in SCHEMA[kind]
    }


def _nested(member: Any, kind: str, name: str) -> Any:
    inner = _NESTED.get(kind, {}).get(name)
    if inner is None:
        return member
    if name in _MAPPINGS:
        return {key: _known(one, inner) for key, one in member.items()}
    return _known(member, inner)


def lost(before: Any, after: Any, where: str = "") -> list[str]:
    """The paths of members of ``before`` that ``after`` lacks or changed."""
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(name, before[name], after.get(name)) for name in before]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = [(str(i), before[i], after[i]) for i in range(len(before))]
    else:
        return [] if before == after else [where]
    return [path for name, old, new in pairs for path in lost(old, new, f"{where}/{name}")]
