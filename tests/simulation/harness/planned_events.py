"""What happens to a world by its plan: people, outages, requests, events, lost storage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from rotation.domain.model import TargetId
from rotation.domain.record import Leaked, Request, RequestKind
from rotation.service import inbox
from rotation.service.requests import RotationRequest

from .operators import Operators
from .plan import OTHERS, OUTAGES, PEOPLE, PlannedEvent
from .worker import Worker
from .world import World

OUTAGE = timedelta(minutes=20)
Somebody = Callable[[Callable[[Worker], Awaitable[Any]]], Awaitable[bool]]


class EventRunner:
    """``somebody`` gets any worker to do something, and says whether it did."""

    def __init__(self, world: World, somebody: Somebody) -> None:
        self.world, self._somebody = world, somebody
        self.targets = sorted(world.secrets())
        self.operators = Operators(world, self.targets)

    async def run(self, event: PlannedEvent) -> None:
        """At its time."""
        await asyncio.sleep(event.at)
        self.world.interceptor.note(f"it happens: {event.what}")
        if event.what in PEOPLE:
            self.operators.do(event)
        elif event.what in OTHERS:
            await self._other(event)
        elif event.what in OUTAGES:
            self._break(event.what)
        elif event.what == "cancel":
            await self._cancel()
        else:
            await self._ask(event)

    async def _cancel(self) -> None:
        """Whatever is under way in the first account."""
        record, now = self.world.record(self.world.ids[0]), self.world.now
        said = Request(inbox.new_id(record.account), RequestKind.CANCEL, "never mind", "me", now)
        await self._somebody(lambda worker: worker.answer(record.account, said))

    def _break(self, what: str) -> None:
        """Every call of one service fails for a while."""
        service, _, how = what.partition(" ")
        fault, until = "429+" if how == "throttles" else "503", self.world.now + OUTAGE

        def broken(name: str, count: int) -> str | None:
            return fault if name.startswith(service) and self.world.now < until else None

        self.world.interceptor.rules.append(broken)
        if service == "queue":
            self.world.storage.closed_until = until

    async def _other(self, event: PlannedEvent) -> None:
        if event.what == "break the leases":
            self.world.storage.leases.clear()
        elif event.what == "lose the journal":
            self.world.lose_journal()
        else:
            target = self.targets[event.target % len(self.targets)]
            await self._deliver(target, old=event.what == "an old event")

    async def _deliver(self, target: TargetId, *, old: bool) -> None:
        """An event about the first version; or one about the latest, twice."""
        event = self._event(target, old=old)
        for _ in range(1 if old else 2):
            await self._somebody(lambda worker: worker.triggers.handle_event(event))

    def _event(self, target: TargetId, *, old: bool) -> dict[str, Any]:
        versions = self.world.secrets().get(target)
        version = versions[0 if old else -1].id if versions else "0" * 32
        vault = target.vault.removeprefix("https://").partition(".")[0]
        return {
            "id": f"e-{target.name}",
            "topic": self.world.azure.vault(vault).id,
            "subject": target.name,
            "eventType": "Microsoft.KeyVault.SecretNearExpiry",
            "data": {"VaultName": vault, "ObjectName": target.name, "Version": version},
        }

    async def _ask(self, event: PlannedEvent) -> None:
        _, _, leaked = event.what.partition(" ")
        which, _, twice = leaked.partition(" ")
        request = RotationRequest(
            reason=event.what,
            requester="somebody",
            secret=self.targets[event.target % len(self.targets)],
            leaked=Leaked(which) if which else Leaked.NONE,
            idempotency_key=str(event),
        )
        for _ in range(2 if twice else 1):
            await self._somebody(lambda worker: worker.request(request))
