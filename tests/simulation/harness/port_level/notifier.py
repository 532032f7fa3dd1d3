"""The Notifier port, which keeps the events that it sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ..faults import Fault
from ..interceptor import Interceptor, Process
from .base import error_of

CALL = "eventgrid.publish"


@dataclass
class SimulatedNotifier:
    """``sent`` has the events in order."""

    interceptor: Interceptor
    by: Process
    sent: list[Mapping[str, Any]] = field(default_factory=list)

    async def send(self, event: Mapping[str, Any]) -> None:
        def fail(fault: Fault) -> NoReturn:
            """Raise what the adapter raises: a refusal concerns this event only."""
            raise error_of(fault, CALL, f"send event {event['id']}")

        await self.interceptor.call(self.by, CALL, lambda: self.sent.append(event), fail)
