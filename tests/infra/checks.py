"""What must hold of the deployment, checked without Azure. Each check yields what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .source import INFRA, Source

Sources = Mapping[str, Source]
REVIEWED: Mapping[str, Mapping[str, str]] = json.loads((INFRA / "apiversions.json").read_text())
_TYPE = re.compile(r"'(Microsoft\.[\w./]+)@([\w-]+)'")
_SECRETIVE = re.compile(r"key\b|secret(?!Name)|password|connectionstring|token|sas\b", re.I)


def parse(files: Sources) -> Iterator[str]:
    """pycep reads every file."""
    for path, source in files.items():
        try:
            source.tree  # noqa: B018 - parses
        except Exception as exc:  # noqa: BLE001 - whatever the parser raises
            yield f"{path}: {str(exc).splitlines()[0]}"


def symbols(files: Sources) -> Iterator[str]:
    """Every name is declared."""
    for path, source in files.items():
        known = source.symbols
        yield from (f"{path}: {name} is declared nowhere" for name in set(source.names) - known)


def unused(files: Sources) -> Iterator[str]:
    """Every parameter and variable is used."""
    for path, source in files.items():
        declared = {*source.tree.get("parameters", {}), *source.tree.get("variables", {})}
        yield from (f"{path}: {name} is never used" for name in declared - set(source.names))


def modules(files: Sources) -> Iterator[str]:
    """Modules exist, and get every parameter that they need and none that they do not know."""
    for path, source in files.items():
        for name, module in source.tree.get("modules", {}).items():
            target = files.get(source.resolve(module["detail"]["path"]))
            if target is None:
                yield f"{path}: {name} is {module['detail']['path']}, which is not there"
                continue
            known = target.tree.get("parameters", {})
            given = set(_config(module).get("params", {}))
            needed = {n for n, p in known.items() if p.get("default") is None}
            yield from (f"{path}: {name} knows no {p}" for p in sorted(given - set(known)))
            yield from (f"{path}: {name} needs {p}" for p in sorted(needed - given))


def outputs(files: Sources) -> Iterator[str]:
    """What is taken from a module is an output of it."""
    for path, source in files.items():
        found = source.tree.get("modules", {})
        for name, output in re.findall(r"(\w+)(?:\[\w+\])?\.outputs\.(\w+)", source.code):
            module = found.get(name)
            target = files.get(source.resolve(module["detail"]["path"])) if module else None
            if target and output not in target.tree.get("outputs", {}):
                yield f"{path}: {name} has no output {output}"


def descriptions(files: Sources) -> Iterator[str]:
    """Every parameter says what it is."""
    for path, source in files.items():
        for name, parameter in source.tree.get("parameters", {}).items():
            if not any(d["type"] == "description" for d in parameter["decorators"]):
                yield f"{path}: parameter {name} has no description"


def assignments(files: Sources) -> Iterator[str]:
    """Names of role assignments are the same on every deployment, and differ between grants."""
    for path, source in files.items():
        for name, found in source.tree.get("resources", {}).items():
            if found["type"] != "Microsoft.Authorization/roleAssignments":
                continue
            named = _config(found).get("name")
            if not isinstance(named, dict) or named.get("function", {}).get("type") != "guid":
                yield f"{path}: the name of {name} is not guid(...)"
            if "scope" not in _config(found):
                yield f"{path}: {name} has no scope: it would be on the whole group"


def secrets(files: Sources) -> Iterator[str]:
    """No key is ever asked for, and none is in an output."""
    for path, source in files.items():
        for call in re.findall(r"\blist(?!eners)\w*(?=\()", source.code):
            yield f"{path}: {call}() reads keys"
        for name, output in source.tree.get("outputs", {}).items():
            value = json.dumps(output["value"])
            if _SECRETIVE.search(value) or (_SECRETIVE.search(name) and not name.endswith("Id")):
                yield f"{path}: output {name} may be a secret"


def versions(files: Sources) -> Iterator[str]:
    """Types and API versions are those that somebody has reviewed."""
    for path, source in files.items():
        for kind, version in _TYPE.findall(source.text):
            if REVIEWED.get(kind, {}).get("version") != version:
                yield f"{path}: {kind}@{version} is not in apiversions.json"


def _config(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """A declaration's body, whether it is looped over, conditional or neither."""
    body = found["config"]
    while "config" in body and ("loop_type" in body or "condition" in body):
        body = body["config"]
    config: Mapping[str, Any] = body
    return config


ALL = (
    parse,
    symbols,
    unused,
    modules,
    outputs,
    descriptions,
    assignments,
    secrets,
    versions,
)
