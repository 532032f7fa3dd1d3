"""One run of everything that the service does: rotation, repair, emergency, event, evidence."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from emulator.core.roles import CUSTOM, Role
from rotation.domain.access import Caller
from rotation.domain.errors import RotationError
from rotation.domain.ids import TargetId
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest
from tests.integration.wire.product import VAULT, Product, playground, product

from .witness import Call, Witness, witness

WORKSPACE = "w-1"
SECRET = ("kv-demo", "ai-key")
BUILT_IN = ("EventGrid Data Sender", "Log Analytics Data Reader")


@dataclass(frozen=True)
class Right:
    """One action of a custom role, or a whole built-in role."""

    role: str
    action: str = ""

    def __str__(self) -> str:
        return f"{self.role}: {self.action}" if self.action else self.role

    def removed_from(self, role: Role) -> Role:
        if role.name != self.role:
            return role
        if not self.action:
            return Role(role.name)
        actions = (a for a in role.actions if a != self.action)
        data_actions = (a for a in role.data_actions if a != self.action)
        return replace(role, actions=tuple(actions), data_actions=tuple(data_actions))


RIGHTS = (
    *(Right(role.name, a) for role in CUSTOM for a in (*role.actions, *role.data_actions)),
    *(Right(name) for name in BUILT_IN),
)


@dataclass
class Seen:
    """The calls of a run, the events that it published, and the refusals that it logged."""

    calls: list[Call] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


async def everything(directory: str, without: Right | None = None) -> Seen:
    """Run every step, also after one that failed."""
    azure = playground()
    identity = witness(azure)
    identity.assign("Log Analytics Data Reader", f"/workspaces/{WORKSPACE}")
    if without:
        identity.assignments = [(s, without.removed_from(r)) for s, r in identity.assignments]
    with _refusals() as refusals:
        async with product(azure, directory, **_settings(identity)) as p:
            await _rotation(p)
            await _repair(p)
            await _emergency(p)
            await _event(p)
            await _people(p)
            await _disabled(p)
    (events,) = azure.topics.received.values()
    told = [event["type"].removeprefix("KeyRotation.") for event in events]
    return Seen(identity.calls, told, refusals)


def _settings(identity: Witness) -> dict[str, str]:
    return {
        "ROTATION_OVERLAP": "PT30M",
        "ROTATION_MIN_OVERLAP": "PT30M",
        "ROTATION_MINIMUM_INTERVAL": "PT30M",
        "ROTATION_LOGS_WORKSPACE": WORKSPACE,
        "ROTATION_EVIDENCE_IGNORE": identity.object_id,
    }


async def _rotation(p: Product) -> None:
    await p.triggers.sweep()
    await p.run(timedelta(hours=2))


async def _repair(p: Product) -> None:
    keys, published = p.azure.account("aoai-demo").keys, p.azure.secret(*SECRET).current.value
    for slot in [name for name, key in keys.items() if key == published]:
        p.azure.regenerate_by_hand("aoai-demo", slot)
    await p.visit()
    await p.run(timedelta(hours=1))


async def _emergency(p: Product) -> None:
    request = RotationRequest("r", "me", TargetId(VAULT, SECRET[1]), leaked=Leaked.UNKNOWN)
    with suppress(RotationError):
        await p.service.commands.request(request)
    await p.run(timedelta(hours=2))


async def _event(p: Product) -> None:
    data = {
        "VaultName": SECRET[0],
        "ObjectName": SECRET[1],
        "ObjectType": "Secret",
        "Version": p.azure.secret(*SECRET).current.id,
    }
    event = {"eventType": "Microsoft.KeyVault.SecretNearExpiry", "id": "e", "data": data}
    await p.triggers.handle_event(event)
    await p.run(timedelta(hours=2))


async def _people(p: Product) -> None:
    """Do what only people request."""
    await p.service.queries.fleet(Caller("me"))
    with suppress(RotationError):
        await p.service.previews.secret(TargetId(VAULT, SECRET[1]))
    for paused in (True, False):
        with suppress(RotationError):
            await p.service.commands.pause(TargetId(VAULT, SECRET[1]), paused=paused)


async def _disabled(p: Product) -> None:
    """Visit an account whose secret is disabled."""
    p.azure.secret(*SECRET).current.enabled = False
    await p.visit()


@contextmanager
def _refusals() -> Iterator[list[str]]:
    """Collect the logged messages about responses with status 403."""
    found: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            _, _, text = record.getMessage().partition("{")
            fields = json.loads("{" + text) if text else {}
            reason = "; ".join(filter(None, (fields.get("reason"), fields.get("remedy"))))
            said = (reason, fields.get("problem"))
            found.extend(s for s in said if s and ": 403 " in s and s not in found)

    log, handler = logging.getLogger("rotation"), Handler()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield found
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
