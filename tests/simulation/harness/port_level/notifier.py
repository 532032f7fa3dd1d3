"""The Notifier port, which keeps the events that it sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..interceptor import Interceptor, Process
from ..storage import fail_write


@dataclass
class SimulatedNotifier:
    """``sent`` has the events in order."""

    interceptor: Interceptor
    by: Process
    sent: list[Mapping[str, Any]] = field(default_factory=list)

    async def send(self, event: Mapping[str, Any]) -> None:
        await self.interceptor.call(
            self.by, "eventgrid.publish", lambda: self.sent.append(event), fail_write
        )
