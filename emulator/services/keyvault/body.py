"""Reads request bodies as strictly as Key Vault does."""

from __future__ import annotations

import json
import re
from typing import Any

from ...core.wire import Request
from .model import Refused

_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
MAX_TAGS, MAX_TAG = 15, 512


def body_of(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"")
    except ValueError:
        raise _bad("The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise _bad("The request body is no JSON object.")
    return body


def checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise _bad(f"The request URI contains an invalid name: {name[:127]}")
    return name


def text_of(body: dict[str, Any], member: str, limit: int, *, required: bool = False) -> str | None:
    value = body.get(member)
    if value is None and not required:
        return None
    if not isinstance(value, str):
        raise _bad(f"Property {member} has an invalid value: a string is expected")
    if len(value.encode()) > limit:
        raise _bad(f"Property {member} is longer than {limit}")
    return value


def tags_of(body: dict[str, Any]) -> dict[str, str] | None:
    tags = body.get("tags")
    if tags is None:
        return None
    if not isinstance(tags, dict) or len(tags) > MAX_TAGS:
        raise _bad(f"Property tags has an invalid value: at most {MAX_TAGS} tags")
    for name, value in tags.items():
        if not isinstance(value, str) or len(name) > MAX_TAG or len(value) > MAX_TAG:
            raise _bad(f"Property tags has an invalid value: at most {MAX_TAG} characters")
    return dict(tags)


def attributes(body: dict[str, Any]) -> tuple[bool | None, int | None, int | None]:
    """enabled, nbf and exp, each None where absent."""
    found = body.get("attributes") or {}
    if not isinstance(found, dict):
        raise _bad("Property attributes has an invalid value")
    enabled = found.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise _bad("Property enabled has an invalid value")
    return enabled, _seconds(found, "nbf"), _seconds(found, "exp")


def _seconds(found: dict[str, Any], member: str) -> int | None:
    value = found.get(member)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _bad(f"Property {member} has an invalid value: seconds since 1970 are expected")
    return value


def _bad(message: str) -> Refused:
    return Refused(400, "BadParameter", message)
