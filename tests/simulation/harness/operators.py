"""Changes that people make by hand, and undo later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from rotation.domain import tags
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot

from .plan import PlannedEvent
from .world import World

UNDONE_AFTER = timedelta(hours=1)

# Has the form of a key, but is none of the account: as if it had been revoked elsewhere.
DEAD_KEY = "d" * 32


@dataclass
class Operators:
    """``_undo`` holds what is not undone yet."""

    world: World
    targets: list[TargetId]
    _undo: list[Callable[[], None]] = field(default_factory=list)

    def act(self, event: PlannedEvent) -> None:
        target = self.targets[event.target % len(self.targets)]
        verb, _, detail = event.what.partition(" ")
        if self._exists(target):
            {
                "regenerate": self._regenerate,
                "publish": self._publish,
                "disable": self._disable,
                "delete": self._delete,
                "pause": self._pause,
                "untag": self._untag,
                "shorten": self._shorten_expiry,
                "lock": self._lock,
                "switch": self._switch_keys_off,
                "close": self._close_vault,
            }[verb](target, detail)

    def undo_all(self) -> None:
        """Undo everything at once, so that the service can converge."""
        while self._undo:
            self._undo.pop()()

    def _exists(self, target: TargetId) -> bool:
        return target in self.world.secrets()

    def account_of(self, target: TargetId) -> AccountId:
        """Return the account that the secret was made for, also if its tags have changed."""
        return self.world.ids[int(target.name.split("-")[1])]

    def undo_later(self, undo: Callable[[], None], target: TargetId | None = None) -> None:
        """Undo it after a while; if its secret is deleted by then, at the end."""
        done: list[bool] = []

        def undo_once() -> None:
            if not done and (target is None or self._exists(target)):
                done.append(True)
                undo()

        self._undo.append(undo_once)
        self.world.azure.clock.schedule(self.world.now + UNDONE_AFTER, undo_once)

    def _regenerate(self, target: TargetId, slot: str) -> None:
        self.world.regenerate(Slot(slot), self.account_of(target))

    def _publish(self, target: TargetId, what: str) -> None:
        if what == "foreign":
            value = self.world.keys(self.world.ids[-1])["Key1"]
        else:
            value = self.world.keys(self.account_of(target)).get(what, DEAD_KEY)
        self.world.write_version(target, value)

    def _disable(self, target: TargetId, _: str) -> None:
        self.world.update(target, enabled=False)
        self.undo_later(lambda: self.world.update(target, enabled=True), target)

    def _delete(self, target: TargetId, _: str) -> None:
        self.world.delete(target)
        vault = self.world.azure.vault(target.vault)
        self.undo_later(lambda: (vault.recover(target.name), None)[1])

    def _pause(self, target: TargetId, _: str) -> None:
        self.tag(target, {tags.PAUSED: "true"})
        self.undo_later(lambda: self.tag(target, {tags.PAUSED: "false"}), target)

    def _untag(self, target: TargetId, _: str) -> None:
        latest = dict(self.world.latest(target).tags or {})
        latest.pop(tags.PROVIDER_ADDRESS, None)
        self.world.update(target, tags=latest)
        address = {tags.PROVIDER_ADDRESS: str(self.account_of(target))}
        self.undo_later(lambda: self.tag(target, address), target)

    def tag(self, target: TargetId, changed: dict[str, str]) -> None:
        self.world.update(target, tags=dict(self.world.latest(target).tags or {}) | changed)

    def _shorten_expiry(self, target: TargetId, _: str) -> None:
        self._set_expiry(target, timedelta(days=5))
        self.undo_later(lambda: self._set_expiry(target, timedelta(days=80)), target)

    def _set_expiry(self, target: TargetId, lives: timedelta) -> None:
        self.world.update(target, exp=int((self.world.now + lives).timestamp()))

    def _lock(self, target: TargetId, _: str) -> None:
        self._set_state(target, "locked")

    def _switch_keys_off(self, target: TargetId, _: str) -> None:
        self._set_state(target, "disable_local_auth")

    def _set_state(self, target: TargetId, member: str) -> None:
        state = self.world.state(self.account_of(target))
        setattr(state, member, True)
        self.undo_later(lambda: setattr(state, member, False))

    def _close_vault(self, target: TargetId, _: str) -> None:
        vault = self.world.azure.vault(target.vault)
        vault.open = False
        self.world.observations.closed_since[target.vault] = self.world.now
        self.undo_later(lambda: setattr(vault, "open", True))
