"""The assembled service: one object per kind of caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from ..ops.doctor.doctor import Doctor
from .audit import AuditTrail
from .commands import Commands
from .fleet_hold import Holding
from .health import Health
from .identification import Identification
from .last_readers import LastReaders
from .previews import Previews
from .queries import Queries
from .releases import Releases
from .triggers import Triggers

Close = Callable[[], Awaitable[object]]


class Service(Struct, frozen=True):
    """The objects that the function app, the HTTP API and the command line call."""

    triggers: Triggers
    commands: Commands
    releases: Releases
    queries: Queries
    previews: Previews
    health: Health
    doctor: Doctor
    identification: Identification
    readers: LastReaders
    holding: Holding
    audit: AuditTrail
    closing: tuple[Close, ...] = ()

    async def close(self) -> None:
        """Close all clients."""
        for close in self.closing:
            await close()
