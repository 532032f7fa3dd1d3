"""Places and ends the hold of all scheduled work, as a person asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..domain.access import Caller
from ..domain.errors import Permanent
from ..domain.fleet_hold import LONGEST, FleetHold
from ..engine.fleet_holds import FleetHolds
from ..runtime import log
from ..runtime.clock import Clock
from .replies.fleet import FleetHoldReply
from .views import fleet_hold as view

OUT_OF_RANGE = "HoldOutOfRange"


@dataclass
class Holding:
    """Holds scheduled work for a time. Repairs and emergencies go on."""

    holds: FleetHolds
    clock: Clock

    async def status(self) -> FleetHoldReply:
        """Return the hold in force."""
        return view.build(await self.holds.current(), self.holds.problem)

    async def place(
        self, until: datetime, caller: Caller, reason: str, *, dry_run: bool
    ) -> FleetHoldReply:
        """Hold scheduled work until a time. Raises Permanent if that is past or too far ahead."""
        now = self.clock.now()
        if not now < until <= now + LONGEST:
            raise Permanent(
                f"{until:%Y-%m-%d %H:%MZ} is not within the next {LONGEST.days} days",
                code=OUT_OF_RANGE,
                remedy=f"choose an end before {now + LONGEST:%Y-%m-%d %H:%MZ}; place it again then",
            )
        hold = FleetHold(until, reason, caller.name, now, caller.role, caller.call)
        if not dry_run:
            await self._store(hold, "on")
        return view.build(hold)

    async def end(self, caller: Caller, reason: str, *, dry_run: bool) -> FleetHoldReply:
        """End the hold now. Nothing happens if there is none."""
        if await self.holds.current() and not dry_run:
            now = self.clock.now()
            await self._store(
                FleetHold(now, reason, caller.name, now, caller.role, caller.call), "off"
            )
        return view.build(None)

    async def _store(self, hold: FleetHold, state: str) -> None:
        await self.holds.put(hold)
        log.warning(
            "hold",
            state=state,
            until=hold.until.isoformat(),
            caller=hold.requester,
            role=hold.role,
            request=hold.request_id,
            reason=hold.reason,
        )
