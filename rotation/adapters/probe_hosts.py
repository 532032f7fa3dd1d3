"""The hosts that may receive a key."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..domain.cloud import Cloud

_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]+")


def host_of(endpoint: str, cloud: Cloud) -> str | None:
    """Return the endpoint's host, or None if it must not receive a key of this cloud's accounts."""
    if not endpoint.lower().startswith("https://"):
        return None
    host = _hostname(endpoint)
    return host if cloud.may_receive_keys(host) and _HOST.fullmatch(host) else None


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
