"""Holds: the limit of delays that the owner of one secret can cause. Pure.

A person who can write one secret of an account can delay the others only within this limit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ..domain.operation import Phase
from .facts import Facts
from .overlaps import overlap_end

# For each target and operation.
BOUND = timedelta(days=7)


def ends(f: Facts) -> datetime:
    """Return the time from which holds on the next step are ignored."""
    return ready(f) + BOUND


def ready(f: Facts) -> datetime:
    """Return the time at which the next step was ready, apart from holds."""
    if f.record.operation is None:
        return f.now
    if f.record.phase in (Phase.OVERLAP, Phase.REVOKE):
        return overlap_end(f)
    return f.operation.phase_since
