"""Renders docs/permissions.md."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from emulator.core.roles import CUSTOM, Role
from rotation.adapters import blob_store, storage_queue
from tests.integration.rbac.run import Right, Seen
from tests.integration.rbac.witness import Ask, Call

COMMAND = "python -m scripts.permissions"
_PLACES = {
    "accounts": "each account",
    "vaults": "each vault",
    "topics": "the topic",
    "workspaces": "the workspace",
}
_TEMPLATE = Path(__file__).with_name("permissions.template.md")


def rendered(whole: Seen, reduced: Mapping[Right, Seen]) -> str:
    """Return the document; ``reduced`` has a run without each of the rights."""
    return _TEMPLATE.read_text().format(
        command=COMMAND,
        roles=_table(_roles(whole.calls)),
        calls=_table(_calls(whole.calls)),
        refusals=_table(_refusals(reduced)),
        blobs=blob_store.ROLE,
        queues=storage_queue.ROLE,
        blob_store=blob_store.BlobStore.__name__,
        queue=storage_queue.StorageQueue.__name__,
    )


def _table(rows: Iterable[Iterable[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _roles(calls: Iterable[Call]) -> list[tuple[str, str, str]]:
    """Return all actions of the custom roles, and the used ones of the built-in roles."""
    used: dict[str, list[str]] = defaultdict(list)
    places: dict[str, str] = {}
    for ask in sorted({a for c in calls for a in c.asks if a.role}, key=lambda a: a.action):
        used[ask.role] += [] if ask.action in used[ask.role] else [ask.action]
        places[ask.role] = _place(ask)
    own = {role.name: _actions(role) for role in CUSTOM}
    order = [*own, *sorted(set(used) - set(own))]
    return [(name, places[name], _codes(own.get(name) or used[name])) for name in order]


def _actions(role: Role) -> list[str]:
    return [*role.actions, *role.data_actions]


def _calls(calls: Iterable[Call]) -> list[tuple[str, ...]]:
    makers: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for call in calls:
        if call.status == 401 and not call.operation.startswith("inference."):
            continue  # Key Vault's challenge, before any right is checked
        for ask in call.asks or (Ask(""),):
            what = (call.package or "aiohttp", call.function or call.operation)
            makers[*what, ask.action, ask.role, _place(ask)].add(call.made_by)
    return [
        (_code(package), _code(function), _codes(sorted(by)), _code(action), role, place)
        for (package, function, action, role, place), by in sorted(makers.items())
    ]


def _refusals(reduced: Mapping[Right, Seen]) -> list[tuple[str, str, str]]:
    return [
        (_code(right.action) or right.role, _code(_short(seen.refusals[0])), _told(seen))
        for right, seen in reduced.items()
    ]


def _short(refusal: str) -> str:
    """Return a refusal up to its error code."""
    found = re.match(r".*?: 403 \w+", refusal)
    return found[0] if found else refusal


def _told(seen: Seen) -> str:
    return ", ".join(seen.told) or "nothing"


def _place(ask: Ask) -> str:
    return _PLACES[ask.scope.split("/")[-2]] if ask.scope else ""


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(_code(text) for text in texts)
