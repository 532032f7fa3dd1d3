"""Frozen dataclasses ⇄ JSON: times as RFC 3339, durations as ISO 8601.

Unknown members are ignored and missing ones take their default, so that an old record is read by
new code and, in a rollback, the other way round.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def dump(value: Any) -> bytes:
    """Return a value as UTF-8 JSON."""
    return msgspec.json.encode(value)


def load(kind: type[T], body: bytes) -> T:
    """Return the value of this type. Raises ValueError if the text does not fit the type."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError, OverflowError) as exc:
        raise ValueError(f"not a {kind.__name__}: {exc}") from None


def format_of(body: bytes) -> int:
    """Return the format that a document says it has; 0 if it says none."""
    try:
        return msgspec.json.decode(body, type=_Header).format
    except (ValueError, RecursionError):
        return 0


class _Header(msgspec.Struct):
    format: int = 0
