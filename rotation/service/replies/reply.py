"""The base of every reply."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

Time = Annotated[datetime, Meta(tz=True)]

T = TypeVar("T")


class Reply(Struct, frozen=True, kw_only=True, rename="camel"):
    """A JSON object whose members are the fields in camel case."""


def optional(value: T | None) -> T | UnsetType:
    """Return the value, or UNSET for a member that is left out of the JSON."""
    return UNSET if value is None else value
