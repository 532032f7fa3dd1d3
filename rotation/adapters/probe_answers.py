"""The meaning of an answer of the data plane for the key that was used.

401 refuses it and 2xx accepts it. 3xx, 429, 5xx, and a 403 of the network or of an unknown cause
say nothing. The rest says something only if the same call refuses a random key.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from ..domain.probing import ProbeResult, ProbeVerdict

LONGEST_WAIT = timedelta(hours=1)

_NETWORK = (b"virtual network", b"firewall", b"public access is disabled", b"private endpoint")
_QUOTA = (b"quota",)
_APPROVAL = (b"missing approval", b"unsupportedfeature", b"apply for access")

_SILENT = frozenset({408, 425, 429})


def verdict(
    host: str, status: int, body: bytes = b"", retry_after: str = "", now: datetime | None = None
) -> ProbeVerdict:
    """Return what the answer says. ``body`` is needed for 403 only."""
    if status == 403:
        return _forbidden(host, body.lower())
    detail = f"{host} answered {status}"
    if status == 401:
        return ProbeVerdict(ProbeResult.REFUSED, detail)
    if 200 <= status < 300:
        return ProbeVerdict(ProbeResult.ACCEPTED, detail)
    if 400 <= status < 500 and status not in _SILENT:
        return ProbeVerdict(ProbeResult.ANSWERED, detail)
    why = ": it limits the rate of calls" if status == 429 else ""
    wait = _wait(retry_after, now or datetime.now(UTC))
    return ProbeVerdict(ProbeResult.INCONCLUSIVE, detail + why, wait)


def inconclusive(detail: str) -> ProbeVerdict:
    """Return a verdict that says nothing about the key."""
    return ProbeVerdict(ProbeResult.INCONCLUSIVE, detail)


def _forbidden(host: str, body: bytes) -> ProbeVerdict:
    """Tell a 403 of the network from those after the key was checked, each with its advice."""
    if b"authenticationtypedisabled" in body:
        return inconclusive(f"key authentication is disabled at {host}; enable it")
    if any(text in body for text in _NETWORK):
        return inconclusive(
            f"{host} answered 403: network access is denied; allow the service's network"
        )
    if any(text in body for text in _APPROVAL):
        detail = "the feature is not approved for this subscription; apply for access to it"
    elif any(text in body for text in _QUOTA):
        detail = "its quota is used up; wait until it is replenished, or raise it"
    else:
        return inconclusive(f"{host} answered 403 for an unknown reason")
    return ProbeVerdict(ProbeResult.ANSWERED, f"{host} answered 403: {detail}")


def _wait(text: str, now: datetime) -> timedelta | None:
    """Return the wait that Retry-After asks for, in seconds or until a date; at most an hour."""
    if text.strip().isascii() and text.strip().isdecimal():
        return timedelta(seconds=min(int(text.strip()[:9]), LONGEST_WAIT.total_seconds()))
    try:
        asked = parsedate_to_datetime(text) - now
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(asked, timedelta()), LONGEST_WAIT)
