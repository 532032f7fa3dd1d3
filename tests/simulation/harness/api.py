"""People at the HTTP API: every request takes the product's whole pipeline, without a host."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rotation import web
from rotation.domain.access import Role
from rotation.domain.cloud import PUBLIC
from rotation.ops.doctor.doctor import Doctor
from rotation.ops.pace import Pace
from rotation.ops.proof import Prover
from rotation.service.audit import AuditTrail
from rotation.service.fleet_hold import Holding
from rotation.service.health import Health
from rotation.service.identification import Identification
from rotation.service.last_readers import LastReaders
from rotation.service.previews import Previews
from rotation.service.releases import Releases
from rotation.service.service import Service
from rotation.web.authentication import ENTRA, HEADER, AuthMethods

from . import wire_level
from .invariants import Invariant
from .worker import Worker
from .world import World

_METHODS = AuthMethods(platform=True, function_keys=False)
_ROUTES = {route.name: route for route in web.ROUTES}


@dataclass(frozen=True)
class Person:
    """A caller with one app role."""

    name: str
    role: Role

    @property
    def principal(self) -> str:
        """The header that App Service adds for the signed-in person."""
        claims = [{"typ": "roles", "val": self.role}, {"typ": "name", "val": self.name}]
        return base64.b64encode(json.dumps({"auth_typ": ENTRA, "claims": claims}).encode()).decode()


@dataclass(frozen=True)
class Answer:
    """A response: its status and its JSON body."""

    status: int
    body: Mapping[str, Any]

    @property
    def accepted(self) -> bool:
        return self.status in (200, 202)


OPERATOR = Person("an operator", Role.OPERATE)
RESPONDER = Person("a responder", Role.EMERGENCY)


async def send(
    worker: Worker,
    person: Person,
    route: str,
    body: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
    query: Mapping[str, str] | None = None,
    **params: str,
) -> Answer:
    """Send a request. ``key`` is its Idempotency-Key, ``params`` are those of the path.

    Raises Violation if the API fails in a way that it does not explain.
    """
    wanted = _ROUTES[route]
    headers = {HEADER: person.principal} | ({"Idempotency-Key": key} if key else {})
    data = json.dumps(body).encode() if body is not None else b""
    request = web.HttpRequest(wanted.method, "https://api", headers, params, query or {}, data)
    found = await web.serve(wanted, request, _METHODS, lambda: service_of(worker))
    worker.world.interceptor.note(f"{person.name}: {route} {params or body}: {found.status}")
    explained = found.status != 500
    message = f"the API answers {route} with {found.body}"
    worker.world.invariants.require(Invariant.API_EXPLAINS, explained, message)
    check_reply(worker.world, found.body)
    return Answer(found.status, json.loads(found.body))


def check_reply(world: World, body: str) -> None:
    """Raises Violation if a reply contains a key."""
    clean = not any(key in body for key in world.azure.accounts.lives)
    world.invariants.require(Invariant.NO_KEY_IN_REPLIES, clean, "a reply contains a key")


def service_of(worker: Worker) -> Service:
    """Return the service that a worker's process serves."""
    triggers, queries, scope = worker.triggers, worker.queries, worker.scope
    gatherer, sweep = worker.reconciler.gatherer, worker.triggers.sweeper
    reading = (queries, scope, worker.reconciler, sweep, queries.inventory, queries.vaults)
    resources = wire_level.resources(worker.world.interceptor, worker, triggers.clock)
    found = (queries, queries.inventory, queries.vaults, gatherer.accounts, triggers.clock)
    return Service(
        triggers=triggers,
        identification=Identification(*found, rate=4),
        commands=worker.commands,
        readers=LastReaders(queries, queries.vaults, None, frozenset(), triggers.clock),
        holding=Holding(worker.holds, triggers.clock),
        audit=AuditTrail(queries),
        releases=Releases(scope, worker.journal, triggers.visits.queue),
        queries=queries,
        previews=Previews(*reading, triggers.clock),
        health=Health(queries, worker.journal, triggers.clock, timedelta(minutes=30)),
        doctor=Doctor(
            resources,
            gatherer.accounts,
            gatherer.vaults,
            worker.journal,
            triggers.clock,
            worker.policy,
            gatherer.bindings,
            Prover(gatherer.probe, PUBLIC, {}),
            Pace(100, lambda _: asyncio.sleep(0)),
        ),
    )
