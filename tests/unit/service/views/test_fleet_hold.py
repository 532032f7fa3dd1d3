"""The hold of all scheduled work, as it is shown."""

from __future__ import annotations

from msgspec import UNSET

from rotation.domain.fleet_hold import FleetHold
from rotation.service.replies.fleet import FleetHoldReply
from rotation.service.views import fleet_hold

from .shown import DAY, NOW


def test_a_hold_is_shown_with_its_end_its_reason_and_its_author() -> None:
    hold = FleetHold(NOW + DAY, "a freeze", "ana", NOW)
    assert fleet_hold.build(hold, "damaged") == FleetHoldReply(
        held=True, until=NOW + DAY, reason="a freeze", requester="ana", since=NOW, problem="damaged"
    )
    assert fleet_hold.build(hold).problem is UNSET


def test_without_one_nothing_is_held_and_a_problem_is_shown() -> None:
    assert fleet_hold.build(None) == FleetHoldReply(held=False)
    assert fleet_hold.build(None, "damaged") == FleetHoldReply(held=False, problem="damaged")
