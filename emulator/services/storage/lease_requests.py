"""Requests about leases: their headers, checked, and the action on the lease."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

from ...core.wire import Headers
from .errors import StorageError
from .leases import Lease

_SECONDS = re.compile(r"[0-9]{1,2}")


def perform(lease: Lease, headers: Headers, now: datetime) -> tuple[int, dict[str, str]]:
    """Do what a request asks; return the status and the headers of the response."""
    given = str(headers.get("x-ms-lease-id", "")).lower()
    match headers.get("x-ms-lease-action"):
        case "acquire":
            lease.acquire(_proposed(headers) or str(uuid.uuid4()), _duration(headers), now)
            return 201, {"x-ms-lease-id": lease.id}
        case "renew":
            lease.renew(given, now)
        case "change":
            lease.change(given, _required(_proposed(headers)), now)
        case "release":
            lease.release(given)
            return 200, {}
        case "break":
            return 202, {"x-ms-lease-time": str(lease.break_(_period(headers), now))}
        case _:
            raise StorageError(400, "InvalidHeaderValue")
    return 200, {"x-ms-lease-id": lease.id}


def _proposed(headers: Headers) -> str:
    """Return the proposed id, a GUID, or an empty text."""
    text = str(headers.get("x-ms-proposed-lease-id", ""))
    try:
        return str(uuid.UUID(text)) if text else ""
    except ValueError:
        raise StorageError(400, "InvalidHeaderValue") from None


def _duration(headers: Headers) -> int:
    try:
        return int(_required(headers.get("x-ms-lease-duration")))
    except ValueError:
        raise StorageError(400, "InvalidHeaderValue") from None


def _period(headers: Headers) -> int | None:
    """Return the seconds after which a broken lease ends, from 0 to 60; None if not given."""
    text = headers.get("x-ms-lease-break-period")
    if text is None:
        return None
    if not _SECONDS.fullmatch(text) or int(text) > 60:
        raise StorageError(400, "InvalidHeaderValue")
    return int(text)


def _required(text: str | None) -> str:
    if not text:
        raise StorageError(400, "MissingRequiredHeader")
    return text
