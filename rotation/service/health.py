"""The service's own health, and the fleet's, for monitoring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import msgspec
from msgspec import UNSET

from ..domain.errors import RotationError
from ..engine.fleet_holds import FRESH
from ..engine.journal import Journal
from ..runtime import log
from ..runtime import metrics as telemetry
from ..runtime.clock import Clock
from .queries import Queries
from .replies.fleet import HealthReply, HealthStatus, SecretState
from .views import fleet, last_sweep
from .views.verdict import is_late


@dataclass
class Health:
    """Reports whether the sweep still runs; ``period`` is the time between two sweeps."""

    queries: Queries
    journal: Journal
    clock: Clock
    period: timedelta

    async def status(self) -> HealthReply:
        """Report whether the sweep still runs, and whether everything can be read.

        A hold of all scheduled work is not a fault: the sweep still repairs.
        """
        try:
            last = await self.journal.last_sweep()
            bindings = self.queries.inventory.bindings
            await bindings.current()
            is_held = await self.queries.holds.current(FRESH) is not None
        except RotationError as exc:
            log.warning("fleet unknown", reason=str(exc), code=exc.code)
            return HealthReply(status=HealthStatus.DEGRADED, last_sweep_age_seconds=None)
        age = last_sweep.age(last, self.clock.now())
        is_healthy = not is_late(age, self.period)
        if bindings.problem or (last and last.unread):
            is_healthy = False
        status = HealthStatus.OK if is_healthy else HealthStatus.DEGRADED
        held = is_held or UNSET
        return HealthReply(status=status, last_sweep_age_seconds=age, held=held)

    async def observe(self) -> None:
        """Emit the fleet's summary as a log line and gauges."""
        try:
            rows, problems = await self.queries.rows()
            age = (await self.status()).last_sweep_age_seconds
        except RotationError as exc:
            log.warning("fleet unknown", reason=str(exc), code=exc.code)
            return
        counts = msgspec.to_builtins(fleet.summary(rows, self.clock.now()))
        log.info("fleet", **counts, sweepAgeSeconds=age, problems=len(problems))
        telemetry.fleet(counts, tuple(SecretState), age)
