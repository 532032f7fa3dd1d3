"""Shows the hold of all scheduled work. Pure."""

from __future__ import annotations

from ...domain.fleet_hold import FleetHold
from ..replies.fleet import FleetHoldReply
from ..replies.reply import optional


def build(hold: FleetHold | None, problem: str = "") -> FleetHoldReply:
    """Return the hold in force; ``problem`` says why a stored one is not."""
    if hold is None:
        return FleetHoldReply(held=False, problem=optional(problem or None))
    return FleetHoldReply(
        held=True,
        until=hold.until,
        reason=hold.reason,
        requester=hold.requester,
        since=hold.at,
        problem=optional(problem or None),
    )
