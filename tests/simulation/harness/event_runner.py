"""Carries out a plan's events: people, outages, requests, expiry events, lost storage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from rotation.domain.ids import TargetId
from rotation.domain.request import Leaked, Request, RequestKind
from rotation.service import inbox
from rotation.service.requests import RotationRequest

from . import careless, incidents, neighbours, strangers, tampering
from .careless import CarelessOwners
from .incidents import Incidents
from .neighbours import Neighbours
from .operators import Operators
from .plan import PlannedEvent
from .plan_generator import EXPIRY_EVENTS, LOSSES, OPERATOR_ACTIONS, OUTAGES, TO_OLDER
from .strangers import Strangers
from .tampering import Tampering
from .worker import Worker
from .world import World

OUTAGE = timedelta(minutes=20)
WithAnyWorker = Callable[[Callable[[Worker], Awaitable[Any]]], Awaitable[bool]]


class EventRunner:
    """``with_any_worker`` calls something on any worker and returns whether it succeeded."""

    def __init__(self, world: World, with_any_worker: WithAnyWorker) -> None:
        self.world, self._with_any_worker = world, with_any_worker
        self.targets = sorted(t for t in world.secrets() if t.vault != neighbours.VAULT)
        self.operators = Operators(world, self.targets)
        self._neighbours, self._careless = Neighbours(world), CarelessOwners(self.operators)
        self._strangers = Strangers(self.operators, with_any_worker)
        self.incidents = Incidents(self.operators, with_any_worker)
        self._tampering = Tampering(self.operators)

    async def run(self, event: PlannedEvent) -> None:
        """Wait until the event's time, and carry it out."""
        await asyncio.sleep(event.at)
        self.world.interceptor.note(f"event: {event.what}")
        if event.what in OPERATOR_ACTIONS:
            self.operators.act(event)
        elif event.what in neighbours.ACTIONS + neighbours.SHARED_ACTIONS:
            self._neighbours.act(event)
        elif event.what in careless.ACTIONS:
            self._careless.act(event, self._target(event))
        elif event.what in strangers.ACTIONS:
            await self._strangers.act(event, self._target(event))
        elif event.what in tampering.ACTIONS:
            account = self.world.ids[event.target % len(self.world.ids)]
            self._tampering.act(event.what, account.slug, event.target)
        elif event.what.startswith("leak ") and event.what not in TO_OLDER:
            await self.incidents.report(event, self._target(event))
        elif event.what in incidents.ANSWERS:
            await self.incidents.answer(event)
        elif event.what in LOSSES:
            self._lose(event.what)
        elif event.what in EXPIRY_EVENTS:
            await self._deliver(self._target(event), old=event.what == "an old event")
        elif event.what in OUTAGES:
            self._begin_outage(event.what)
        elif event.what == "cancel":
            await self._cancel()
        else:
            await self._request(event)

    def _target(self, event: PlannedEvent) -> TargetId:
        return self.targets[event.target % len(self.targets)]

    def _lose(self, what: str) -> None:
        if what == "break the leases":
            self.world.storage.leases.clear()
        else:
            self.world.lose_journal()

    def _begin_outage(self, what: str) -> None:
        """Let every call to one service fail for a while."""
        service, _, how = what.partition(" ")
        fault, until = "429+" if how == "throttles" else "503", self.world.now + OUTAGE

        def rule(call: str, count: int) -> str | None:
            return fault if call.startswith(service) and self.world.now < until else None

        self.world.interceptor.rules.append(rule)
        if service == "queue":
            self.world.storage.closed_until = until

    async def _deliver(self, target: TargetId, *, old: bool) -> None:
        """Deliver an event about the first version once, or one about the latest twice."""
        event = self._expiry_event(target, old=old)
        for _ in range(1 if old else 2):
            await self._with_any_worker(lambda worker: worker.triggers.handle_event(event))

    def _expiry_event(self, target: TargetId, *, old: bool) -> dict[str, Any]:
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

    async def _cancel(self) -> None:
        """Cancel the first account's operation."""
        account, now = self.world.ids[0], self.world.now
        answer = Request(inbox.new_id(account), RequestKind.CANCEL, "a cancel", "me", now)
        await self._with_any_worker(lambda worker: worker.answer(account, answer))

    async def _request(self, event: PlannedEvent) -> None:
        """Request a rotation, or report a leak to an earlier version."""
        _, _, slot = event.what.partition(" to an earlier version: ")
        request = RotationRequest(
            reason=event.what,
            requester="somebody",
            secret=self._target(event),
            leaked=Leaked(slot) if slot else Leaked.NONE,
            idempotency_key=str(event),
        )
        await self._with_any_worker(lambda worker: worker.request_of_older(request))
