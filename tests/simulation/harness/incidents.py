"""Leaks as people report them through the API, and what they answer to an emergency.

An event names the leak and the scope: ``leak key1``, ``leak unknown of the account``, ``leak key2
in the vault``, ``leak key1 everywhere``. More words can follow: ``now``, ``force``, ``blind``,
``twice`` (the same request again) and ``with a used key`` (its Idempotency-Key was used before).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from rotation.domain import codec
from rotation.domain.emergency import Emergency
from rotation.domain.ids import TargetId
from rotation.engine.emergencies import PREFIX

from .api import OPERATOR, RESPONDER, Answer, Person, send
from .emergency_checks import FORGIVEN
from .invariants import Invariant
from .operators import Operators
from .plan import PlannedEvent
from .worker import Worker
from .world import World

REPORTS = (
    "leak key1",
    "leak key2",
    "leak unknown",
    "leak key1 twice",
    "leak key1 of the account",
    "leak key2 of the account",
    "leak unknown of the account",
    "leak key1 now",
    "leak unknown of the account now",
    "leak key1 of the account force",
    "leak unknown force",
    "leak key2 with a used key",
    "leak unknown of the account twice",
)
BULK_REPORTS = (
    "leak key1 in the vault",
    "leak unknown in the vault",
    "leak key1 everywhere",
    "leak unknown everywhere blind",
    "leak key2 everywhere now twice",
    "leak key1 in the vault force",
)
ANSWERS = (
    "cancel the emergency",
    "cancel the emergency as an operator",
    "abandon the emergency",
    "abandon the emergency as an operator",
    "resume the emergency",
    "cancel the batch",
    "cancel the batch as an operator",
)
FLAGS = ("now", "force", "blind")
# A request for an account that the store can note is never refused with one of these.
REFUSALS = range(400, 500)
WithAnyWorker = Callable[[Callable[[Worker], Awaitable[Any]]], Awaitable[bool]]


@dataclass
class Incidents:
    """``_ids`` and ``_batches`` are of the emergencies that were accepted, the newest last."""

    operators: Operators
    with_any_worker: WithAnyWorker
    _ids: list[str] = field(default_factory=list)
    _batches: list[str] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.operators.world

    async def report(self, event: PlannedEvent, target: TargetId) -> None:
        """Report a leak, twice if the event says so: the second answer names the first one's."""
        words = event.what.split()
        body = self._scope(event.what, target) | {"leaked": words[1], "reason": event.what}
        body |= {flag: True for flag in FLAGS if flag in words}
        key = str(event)
        if "used" in words:
            plain = {name: body[name] for name in ("vault", "secret", "reason")}
            await self._send("request_rotation", plain, key="a used key")
            key = "a used key"
        posts = (self._post(body, key, target) for _ in range(1 + ("twice" in words)))
        accepted = [each for each in await asyncio.gather(*posts) if each[1]]
        ids = [found for _, found in accepted]
        repeated = len(accepted) == 2 and accepted[0][0] == accepted[1][0]  # the same body
        same = not repeated or ids[0] == ids[1] or "everywhere" in words or "vault" in words
        message = f"one Idempotency-Key names two emergencies: {ids}"
        self.world.invariants.require(Invariant.ONE_EMERGENCY, same, message)

    async def answer(self, event: PlannedEvent) -> None:
        """Cancel, abandon or resume the newest emergency or batch. An operator must not."""
        person = OPERATOR if "operator" in event.what else RESPONDER
        verb = event.what.partition(" ")[0]
        for name in await self._wanted(event.what):
            await self._answer(person, verb, name)

    async def resume_stale(self) -> None:
        """Answer every emergency that waits for a person, as somebody on call does."""
        for found in self.open_emergencies():
            if found.is_stale(self.world.now):
                await self._answer(RESPONDER, "resume", found.id)

    def open_emergencies(self) -> list[Emergency]:
        """Return the open emergencies, without those that cannot be read."""
        names = [name for name in self.world.storage.documents if name.startswith(PREFIX)]
        found = (self._find(name.removeprefix(PREFIX)) for name in names)
        return [each for each in found if each and each.is_open]

    def _scope(self, what: str, target: TargetId) -> dict[str, Any]:
        if "everywhere" in what:
            return {"all": True, "confirm": 1}
        if "of the account" in what:
            return {"account": str(self.operators.account_of(target))}
        named = {"vault": target.vault}
        return named if "in the vault" in what else named | {"secret": target.name}

    async def _post(
        self, body: dict[str, Any], key: str, target: TargetId
    ) -> tuple[dict[str, Any], list[str]]:
        """Report a leak; if the secret is not known, name its account instead.

        Return the body that was sent last, and the ids of the emergencies that it names.
        """
        found = await self._send("request_rotation", body, key=key)
        if found and found.status in REFUSALS:
            message = f"an emergency is refused: {found.body}"
            named = "secret" in body
            self.world.invariants.require(Invariant.EMERGENCY_ACCEPTED, named, message)
            rest = {name: text for name, text in body.items() if name not in ("vault", "secret")}
            body = rest | {"account": str(self.operators.account_of(target))}
            return await self._post(body, key, target)
        if found is None or not found.accepted:
            return body, []
        stored = all(PREFIX + each in self.world.storage.documents for each in _ids_in(found))
        message = f"an accepted emergency has no document: {found.body}"
        self.world.invariants.require(Invariant.EMERGENCY_ACCEPTED, stored, message)
        self._ids += _ids_in(found)
        self._batches += [found.body["batch"]] if "batch" in found.body else []
        return body, _ids_in(found)

    async def _wanted(self, what: str) -> list[str]:
        if "batch" not in what:
            return self._ids[-1:]
        if not self._batches:
            return []
        batch = {"batch": self._batches[-1]}
        found = await self._send("list_rotations", query=batch)
        return [each["id"] for each in found.body["rotations"]] if found and found.accepted else []

    async def _answer(self, person: Person, verb: str, name: str) -> None:
        before = self._find(name)
        if verb == "cancel":
            found = await self._send("cancel_rotation", person=person, id=name)
        else:
            body = {"reason": f"{verb} it"}
            found = await self._send("answer_rotation", body, person=person, id=name, answer=verb)
        if found and found.accepted and before is None and verb != "resume":
            # Its document cannot be read, so that no verdict in it shows this.
            self.world.observations.leaked_keys.withdraw([name])
        if person is OPERATOR and found and before and before.is_open:
            message = f"an operator may {verb} an emergency"
            still = self._find(name)
            ended = still is None or still.verdict in FORGIVEN or still.is_open
            refused = not (found.accepted and ended)
            self.world.invariants.require(Invariant.EMERGENCY_ROLE, refused, message)

    async def _send(
        self,
        route: str,
        body: dict[str, Any] | None = None,
        *,
        person: Person = RESPONDER,
        **more: Any,
    ) -> Answer | None:
        """Send a request to any worker; None if that crashes."""
        answers: list[Answer] = []

        async def call(worker: Worker) -> None:
            answers.append(await send(worker, person, route, body, **more))

        await self.with_any_worker(call)
        return answers[0] if answers else None

    def _find(self, name: str) -> Emergency | None:
        document = self.world.storage.documents.get(PREFIX + name)
        try:
            return codec.load(Emergency, document[0]) if document else None
        except ValueError:
            return None


def _ids_in(answer: Answer) -> list[str]:
    """Return the ids of one emergency, or of a batch."""
    return (
        [answer.body["id"]]
        if "id" in answer.body
        else [each["id"] for each in answer.body.get("rotations", ())]
    )
