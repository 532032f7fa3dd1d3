"""Reduces an OpenAPI document to what a client relies on: no texts, no names of schemas, sorted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TEXTS = {"description", "summary", "examples", "default", "title"}


def contract(document: Mapping[str, Any]) -> Any:
    """Return the document with every reference resolved, in one canonical spelling."""
    kept = {key: document[key] for key in ("openapi", "servers", "security", "paths")}
    schemes = document["components"]["securitySchemes"]
    return _canonical({**kept, "securitySchemes": schemes}, document)


def _canonical(value: Any, document: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        items = [_canonical(item, document) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _canonical(_resolve(value["$ref"], document), document)
    if "properties" in value and isinstance(value["properties"], dict):
        members = {k: _canonical(v, document) for k, v in value["properties"].items()}
        rest = _canonical({k: v for k, v in value.items() if k != "properties"}, document)
        return {**rest, "properties": members}
    return _schema({k: _canonical(v, document) for k, v in value.items() if k not in TEXTS})


def _resolve(reference: str, document: Mapping[str, Any]) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _schema(found: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema has several spellings of a nullable value and of an enumeration."""
    if "oneOf" in found:
        found["anyOf"] = found.pop("oneOf")
    if "enum" in found or "const" in found:
        found.pop("type", None)
    kinds = found.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        (kind,) = set(kinds) - {"null"}
        return _nullable({**found, "type": kind})
    if None in found.get("enum", ()):
        return _nullable({"enum": [value for value in found["enum"] if value is not None]})
    return found


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    options: list[dict[str, Any]] = [schema, {"type": "null"}]
    return {"anyOf": sorted(options, key=lambda item: json.dumps(item, sort_keys=True))}
