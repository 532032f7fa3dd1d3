"""JSON Schema of the request and reply types."""

from __future__ import annotations

from typing import Any

import msgspec

_SUFFIXES = ("Reply", "Body")


def component_name(kind: type) -> str:
    """Return the type's name in the document: without the suffix that says what it is for."""
    return _short(kind.__name__)


def reference(kind: type) -> dict[str, str]:
    """Return a reference to the type's schema."""
    return {"$ref": f"#/components/schemas/{component_name(kind)}"}


def components(kinds: tuple[type, ...]) -> dict[str, Any]:
    """Return the schemas of the types and of all types that they use, by name."""
    _, found = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return {_short(name): _clean(schema) for name, schema in sorted(found.items())}


def _short(name: str) -> str:
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _clean(value: Any) -> Any:
    """Shorten the references and leave out the titles, which repeat the names."""
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _short(item) if key == "$ref" else _clean(item)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str))
    }
