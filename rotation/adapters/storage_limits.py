"""Azure Storage's limits. The local store and queue keep to them too."""

from __future__ import annotations

import math
import re
from datetime import timedelta

SHORTEST_LEASE, LONGEST_LEASE = timedelta(seconds=15), timedelta(seconds=60)

# A message must become visible before it expires, and visibility ends at 7 days.
LONGEST_DELAY = timedelta(days=7) - timedelta(minutes=1)

_NAME = re.compile(r"[a-z0-9-]+")


def is_name(name: str) -> bool:
    """Return whether a name is valid for a document, which makes it safe for files and blobs."""
    return _NAME.fullmatch(name) is not None


def checked_name(name: str) -> str:
    """Return the name. Raises ValueError if it is not valid for a document."""
    if not is_name(name):
        raise ValueError(f"{name[:80]!r} is not a document name; expected [a-z0-9-]+")
    return name


def lease_seconds(duration: timedelta) -> int:
    """Return whole seconds. Raises ValueError outside 15 s to 60 s (REST reference, Lease Blob)."""
    if not SHORTEST_LEASE <= duration <= LONGEST_LEASE:
        raise ValueError(f"a lease lasts 15 s to 60 s, not {duration.total_seconds():.0f} s")
    return int(duration.total_seconds())


def delay_seconds(delay: timedelta) -> int:
    """Return whole seconds, rounded up, from 0 to 7 days less a minute."""
    return math.ceil(min(max(delay, timedelta()), LONGEST_DELAY).total_seconds())
