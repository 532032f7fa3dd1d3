"""Unwraps events: from arrays and known wrappers, and their data from text and Base64.

An event has a type and data (Event Grid's schema, or CloudEvents 1.0 in JSON).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

# Automation puts events into these members; each must be alone in its object.
_WRAPPERS = frozenset({"value", "event", "events"})

_DEEPEST = 8


def unwrap(body: Any) -> list[Mapping[str, Any]]:
    """Return the events in JSON, in their order.

    Raises ValueError if there are none, or if any part of it is something else.
    """
    found = list(_events(body, _DEEPEST))
    if not found:
        raise ValueError("the message is neither one of this service nor an event")
    return found


def folded(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the members with their names stripped and in lower case."""
    return {str(name).strip().lower(): value for name, value in mapping.items()}


def data_of(members: Mapping[str, Any]) -> Mapping[Any, Any] | None:
    """Return the data of an event with folded members; None if it cannot be read in one way."""
    plain, encoded = members.get("data"), members.get("data_base64")
    if plain is not None and encoded is not None:
        return None
    data = plain if encoded is None else _decoded(encoded)
    if isinstance(data, str):
        data = _parsed(data)
    return data if isinstance(data, Mapping) else None


def json_or_base64(text: str) -> Any:
    """Parse JSON, which may be in Base64, with line breaks and a byte-order mark.

    Raises ValueError.
    """
    text = text.strip().removeprefix("\ufeff")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, RecursionError):
        raise ValueError("the message is not JSON") from None


def _events(body: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if isinstance(body, Mapping) and _is_event(folded(body)):
        yield body
        return
    inner = _wrapped(body)
    if inner is None or depth == 0:
        raise ValueError("the message is neither one of this service nor an event")
    for part in inner:
        yield from _events(part, depth - 1)


def _wrapped(body: Any) -> list[Any] | None:
    """Return what an array or a wrapper contains; None for anything else."""
    if isinstance(body, list):
        return body
    if isinstance(body, Mapping) and len(body) == 1:
        ((name, inner),) = folded(body).items()
        return [inner] if name in _WRAPPERS else None
    return None


def _is_event(members: Mapping[str, Any]) -> bool:
    kind = members.get("eventtype") or members.get("type")
    data = members.get("data"), members.get("data_base64")
    return isinstance(kind, str) and data != (None, None)


def _decoded(encoded: Any) -> str | None:
    try:
        return base64.b64decode("".join(encoded.split()), validate=True).decode("utf-8-sig")
    except (ValueError, AttributeError):
        return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text.strip().removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
