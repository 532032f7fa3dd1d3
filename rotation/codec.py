"""Frozen dataclasses ⇄ JSON. Unknown members are ignored and missing ones take their default,

so that an old record is read by new code and, in a rollback, the other way round.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def dump(value: Any) -> bytes:
    """A dataclass as UTF-8 JSON with sorted names."""
    return json.dumps(plain(value), sort_keys=True, ensure_ascii=False).encode()


def load(kind: type[T], body: bytes) -> T:
    """The reverse. Raises ValueError where the text is no such dataclass."""
    try:
        result: T = _build(kind, json.loads(body))
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"not a {kind.__name__}: {exc}") from None
    return result


def plain(value: Any) -> Any:
    """As what JSON has: times in UTC, durations in seconds, absent members left out."""
    if is_dataclass(value):
        members = ((f.name, getattr(value, f.name)) for f in fields(value))
        return {name: plain(member) for name, member in members if member is not None}
    if isinstance(value, Mapping):
        return {str(name): plain(member) for name, member in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(member) for member in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _build(kind: Any, data: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if data is None else _build(inner, data)
    if origin is tuple:
        return tuple(_build(arguments[0], member) for member in data)
    if origin is not None:
        name, member = arguments
        return {_build(name, key): _build(member, value) for key, value in data.items()}
    if is_dataclass(kind):
        hints = _hints(typing.cast(type, kind))
        known = (f.name for f in fields(kind) if f.name in data)
        return typing.cast(Any, kind)(**{n: _build(hints[n], data[n]) for n in known})
    return _scalar(kind, data)


def _scalar(kind: Any, data: Any) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(data)
    if kind is timedelta:
        return timedelta(seconds=data)
    return kind(data) if issubclass(kind, Enum) else data
