"""People and programs that forge events and messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from rotation.decisions.leaks import SUSPICIOUS
from rotation.domain.ids import TargetId

from .garbage import GARBAGE
from .operators import Operators
from .plan import PlannedEvent
from .worker import Worker
from .world import START, World

ACTIONS = (
    "strangers forge a near expiry",
    "strangers forge an expiry",
    "strangers repeat events",
    "strangers send garbage",
    "strangers enrol a placeholder",
    "strangers show the live key",
)
HEALTHY = timedelta(days=80)
WithAnyWorker = Callable[[Callable[[Worker], Awaitable[Any]]], Awaitable[bool]]


@dataclass
class Strangers:
    """``with_any_worker`` calls something on any worker."""

    operators: Operators
    with_any_worker: WithAnyWorker
    _numbers: count[int] = field(default_factory=count)

    @property
    def world(self) -> World:
        return self.operators.world

    async def act(self, event: PlannedEvent, target: TargetId) -> None:
        what = event.what.removeprefix("strangers ")
        if what == "send garbage":
            self.world.storage.push(GARBAGE[event.target % len(GARBAGE)], self.world.now)
        elif what == "enrol a placeholder":
            self._enrol("placeholder", "d" * 32, target)
        elif what == "show the live key":
            self._show_live_key(target)
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

    def _show_live_key(self, target: TargetId) -> None:
        """Ask for the next key by a secret that shows the live one, as if it had leaked."""
        if target not in self.world.secrets():
            return
        made = self._enrol("shown", self.world.latest(target).value, target)
        broad = not self.world.names(made, str(self.operators.account_of(target)))
        if broad and self.world.now - START > SUSPICIOUS:
            self.world.observations.suspects.add(made)

    def _enrol(self, name: str, value: str, target: TargetId) -> TargetId:
        """Enrol a new secret in the same vault, and delete it an hour later."""
        world, account = self.world, self.operators.account_of(target)
        full_name = f"{name}-{account.name}-{next(self._numbers)}"
        made = world.add_secret(
            full_name, vault=target.vault, account=account, value=value, lives=HEALTHY
        )
        self.operators.undo_later(lambda: world.delete(made), made)
        return made


async def _deliver(event: dict[str, Any], worker: Worker) -> None:
    await worker.triggers.handle_event(event)
