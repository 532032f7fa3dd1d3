"""What Azure Storage allows. The local stand-ins keep to it too, so that both behave alike."""

from __future__ import annotations

import math
import re
from datetime import timedelta

SHORTEST_LEASE, LONGEST_LEASE = timedelta(seconds=15), timedelta(seconds=60)

# A message must become visible before it expires, and visibility ends at 7 days.
LONGEST_DELAY = timedelta(days=7) - timedelta(minutes=1)

_NAME = re.compile(r"[a-z0-9-]+")


def is_name(name: str) -> bool:
    """Whether documents may be called so; it is safe as a file's and as a blob's name."""
    return _NAME.fullmatch(name) is not None


def checked_name(name: str) -> str:
    """The name. Raises ValueError for one that no document may have."""
    if not is_name(name):
        raise ValueError(f"{name[:80]!r} is no document name: write [a-z0-9-]+")
    return name


def lease_seconds(duration: timedelta) -> int:
    """Whole seconds. Raises ValueError outside 15 s to 60 s (REST reference, Lease Blob)."""
    if not SHORTEST_LEASE <= duration <= LONGEST_LEASE:
        raise ValueError(f"a lease lasts 15 s to 60 s, not {duration.total_seconds():.0f} s")
    return int(duration.total_seconds())


def delay_seconds(delay: timedelta) -> int:
    """Whole seconds, never too early, from 0 to 7 days less a minute."""
    return math.ceil(min(max(delay, timedelta()), LONGEST_DELAY).total_seconds())
