"""Parsing of request bodies, as strict as Key Vault's."""

from __future__ import annotations

import re
from typing import Any

from ...core.wire import Request
from .errors import bad_parameter

_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
MAX_TAGS, MAX_TAG, MAX_CONTENT_TYPE = 15, 512, 255


def parse_body(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        raise bad_parameter("The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise bad_parameter("The request body is not a JSON object.")
    return body


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise bad_parameter(f"The request URI contains an invalid name: {name[:127]}")


def parse_value(body: dict[str, Any], limit: int) -> str:
    """Return the required member ``value``, of at most ``limit`` bytes."""
    value = body.get("value")
    if not isinstance(value, str):
        raise bad_parameter("Property value has an invalid value: a string is expected")
    if len(value.encode()) > limit:
        raise bad_parameter(f"Property value is longer than {limit} bytes")
    return value


def parse_content_type(body: dict[str, Any]) -> str | None:
    value = body.get("contentType")
    if value is not None and not isinstance(value, str):
        raise bad_parameter("Property contentType has an invalid value: a string is expected")
    if value is not None and len(value) > MAX_CONTENT_TYPE:
        raise bad_parameter(f"Property contentType is longer than {MAX_CONTENT_TYPE} characters")
    return value


def parse_tags(body: dict[str, Any]) -> dict[str, str] | None:
    tags = body.get("tags")
    if tags is None:
        return None
    if not isinstance(tags, dict) or len(tags) > MAX_TAGS:
        raise bad_parameter(f"Property tags has an invalid value: at most {MAX_TAGS} tags")
    for name, value in tags.items():
        if not isinstance(value, str) or len(name) > MAX_TAG or len(value) > MAX_TAG:
            raise bad_parameter(f"Property tags has an invalid value: at most {MAX_TAG} characters")
    return dict(tags)


def parse_attributes(body: dict[str, Any]) -> tuple[bool | None, int | None, int | None]:
    """Return enabled, nbf and exp, each None if absent."""
    found = body.get("attributes") or {}
    if not isinstance(found, dict):
        raise bad_parameter("Property attributes has an invalid value")
    enabled = found.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise bad_parameter("Property enabled has an invalid value")
    return enabled, _seconds(found, "nbf"), _seconds(found, "exp")


def _seconds(found: dict[str, Any], member: str) -> int | None:
    value = found.get(member)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad_parameter(
            f"Property {member} has an invalid value: seconds since 1970 are expected"
        )
    return value
