"""People and programs that forge events and messages, or restore and edit the journal."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from rotation.domain.ids import TargetId
from rotation.engine.journal import SLUG

from .garbage import GARBAGE
from .operators import Operators
from .plan import PlannedEvent
from .worker import Worker
from .world import World

ACTIONS = (
    "strangers forge a near expiry",
    "strangers forge an expiry",
    "strangers repeat events",
    "strangers send garbage",
    "strangers enrol a placeholder",
    "strangers restore an older record",
    "strangers change the salt of a record",
    "strangers delete a record",
    "strangers drop the members of an older version",
)
NEWER_MEMBERS = ("members", "notes", "former", "known_keys", "repairs", "published", "births")
WithAnyWorker = Callable[[Callable[[Worker], Awaitable[Any]]], Awaitable[bool]]


@dataclass
class Strangers:
    """Keeps each record that is written, to restore one later."""

    operators: Operators
    with_any_worker: WithAnyWorker
    _numbers: count[int] = field(default_factory=count)
    _backups: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    @property
    def world(self) -> World:
        return self.operators.world

    def __post_init__(self) -> None:
        self.world.storage.watchers.append(self._keep)

    def _keep(self, name: str, body: bytes) -> None:
        if len(name) == SLUG:
            self._backups[name].append(body)

    async def act(self, event: PlannedEvent, target: TargetId) -> None:
        what = event.what.removeprefix("strangers ")
        if what == "send garbage":
            self.world.storage.push(GARBAGE[event.target % len(GARBAGE)], self.world.now)
        elif what == "enrol a placeholder":
            self._enrol_placeholder(target)
        elif "record" in what or "members" in what:
            self._change_record(what, self.world.ids[event.target % len(self.world.ids)].slug)
        else:
            await self._forge(what, target)

    async def _forge(self, what: str, target: TargetId) -> None:
        kind = "SecretExpired" if what == "forge an expiry" else "SecretNearExpiry"
        vault = target.vault.removeprefix("https://").partition(".")[0]
        versions = self.world.secrets().get(target)
        data = {
            "VaultName": vault,
            "ObjectName": target.name,
            "Version": versions[-1].id if versions else "0" * 32,
        }
        for number in range(5 if what == "repeat events" else 1):
            event = {
                "id": f"forged-{number}",
                "topic": self.world.azure.vault(target.vault).id,
                "subject": target.name,
                "eventType": f"Microsoft.KeyVault.{kind}",
                "data": data,
            }
            await self.with_any_worker(partial(_deliver, event))

    def _enrol_placeholder(self, target: TargetId) -> None:
        """Ask for a key in a new secret of the same vault, and delete it an hour later."""
        world, account = self.world, self.operators.account_of(target)
        name = f"placeholder-{account.name}-{next(self._numbers)}"
        made = world.add_secret(name, vault=target.vault, account=account, value="d" * 32)
        self.operators.undo_later(lambda: world.delete(made), made)

    def _change_record(self, what: str, slug: str) -> None:
        """Change a document behind the service's back."""
        storage, kept = self.world.storage, self._backups[slug]
        if slug not in storage.documents or not kept:
            return
        if what == "delete a record":
            del storage.documents[slug]
        else:
            older = kept[len(kept) // 2] if what == "restore an older record" else kept[-1]
            document = json.loads(older)
            if what.startswith("change the salt"):
                document["salt"] = "0" * 32
            if what.startswith("drop the members"):
                document = {n: v for n, v in document.items() if n not in NEWER_MEMBERS}
            storage.documents[slug] = (json.dumps(document).encode(), storage.number())
        forgets = not what.startswith("drop")
        self.world.observations.record_changed(slug, forgets_members=forgets)


async def _deliver(event: dict[str, Any], worker: Worker) -> None:
    await worker.triggers.handle_event(event)
