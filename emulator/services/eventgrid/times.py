"""Times as Event Grid writes them."""

from __future__ import annotations

from datetime import datetime


def event_time(moment: datetime) -> str:
    """Return a moment in UTC with seven decimals."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z"
