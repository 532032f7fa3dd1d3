"""What people do behind the service's back, and undo when they are asked to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from rotation.domain import tags
from rotation.domain.model import AccountId, Slot, TargetId

from .plan import PlannedEvent
from .world import World

WHILE = timedelta(hours=1)  # until somebody puts right what they did


@dataclass
class Operators:
    """``undo`` puts everything right again, so that the service can come to rest."""

    world: World
    targets: list[TargetId]
    undo: list[Callable[[], None]] = field(default_factory=list)

    def do(self, event: PlannedEvent) -> None:
        target = self.targets[event.target % len(self.targets)]
        verb, _, what = event.what.partition(" ")
        if not self._is_there(target):
            return
        {
            "regenerate": self._regenerate,
            "publish": self._publish,
            "disable": self._disable,
            "delete": self._delete,
            "pause": self._pause,
            "untag": self._untag,
            "shorten": self._shorten,
            "lock": self._lock,
            "switch": self._switch,
            "close": self._close,
        }[verb](target, what)

    def undo_all(self) -> None:
        while self.undo:
            self.undo.pop()()

    def _is_there(self, target: TargetId) -> bool:
        return target in self.world.secrets()

    def _account(self, target: TargetId) -> AccountId:
        """The account that the secret was made for, whatever its tags say now."""
        return self.world.ids[int(target.name.split("-")[1])]

    def _later(self, undo: Callable[[], None], target: TargetId | None = None) -> None:
        """Somebody notices after a while; what is deleted by then is seen to at the end."""
        done: list[bool] = []

        def once() -> None:
            if not done and (target is None or self._is_there(target)):
                done.append(True)
                undo()

        self.undo.append(once)
        self.world.azure.clock.schedule(self.world.now + WHILE, once)

    def _regenerate(self, target: TargetId, slot: str) -> None:
        self.world.regenerate(Slot(slot), self._account(target))

    def _publish(self, target: TargetId, what: str) -> None:
        if what == "foreign":
            value = self.world.keys(self.world.ids[-1])["Key1"]
        else:
            value = self.world.keys(self._account(target)).get(what, "nonsense")
        self.world.write_version(target, value)

    def _disable(self, target: TargetId, _: str) -> None:
        self.world.update(target, enabled=False)

        self._later(lambda: self.world.update(target, enabled=True), target)

    def _delete(self, target: TargetId, _: str) -> None:
        self.world.delete(target)
        vault = self.world.azure.vault(target.vault)
        self._later(lambda: (vault.recover(target.name), None)[1])

    def _pause(self, target: TargetId, _: str) -> None:
        self._tag(target, {tags.PAUSED: "true"})
        self._later(lambda: self._tag(target, {tags.PAUSED: "false"}), target)

    def _untag(self, target: TargetId, _: str) -> None:
        self._tag(target, {tags.PROVIDER_ADDRESS: ""})
        address = {tags.PROVIDER_ADDRESS: str(self._account(target))}
        self._later(lambda: self._tag(target, address), target)

    def _tag(self, target: TargetId, changed: dict[str, str]) -> None:
        self.world.update(target, tags=dict(self.world.latest(target).tags or {}) | changed)

    def _shorten(self, target: TargetId, _: str) -> None:
        self._expire(target, timedelta(days=5))
        self._later(lambda: self._expire(target, timedelta(days=80)), target)

    def _expire(self, target: TargetId, lives: timedelta) -> None:
        self.world.update(target, exp=int((self.world.now + lives).timestamp()))

    def _lock(self, target: TargetId, _: str) -> None:
        self._state(target, "locked", True)

    def _switch(self, target: TargetId, _: str) -> None:
        self._state(target, "disable_local_auth", True)

    def _state(self, target: TargetId, member: str, value: bool) -> None:
        state = self.world.state(self._account(target))
        setattr(state, member, value)
        self.world.checker.ledger_of(state.id).disturbed = self.world.now
        self._later(lambda: setattr(state, member, not value))

    def _close(self, target: TargetId, _: str) -> None:
        vault = self.world.azure.vault(target.vault)
        vault.open = False
        self._later(lambda: setattr(vault, "open", True))
