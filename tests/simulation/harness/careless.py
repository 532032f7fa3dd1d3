"""Mistakes of the owners themselves, which they correct an hour later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

from emulator.services.accounts import Account
from rotation.domain import tags
from rotation.domain.ids import TargetId
from rotation.domain.keys import Slot

from .odd_tags import ODD_EXPIRIES, ODD_TAGS
from .operators import Operators
from .plan import PlannedEvent

ACTIONS = (
    "carelessly write without tags",
    "carelessly write a dead key without tags",
    "carelessly rewrite the same value",
    "carelessly write a password",
    "carelessly write a document",
    "carelessly write a connection string",
    "carelessly write odd tags",
    "carelessly write an odd expiry",
    "carelessly move the secret",
    "carelessly run another rotation service",
    "carelessly hide the account",
    "carelessly move the account",
    "carelessly restore a backup",
)
FOREIGN = {
    "a password": "hunter-{}",
    "a document": '{{"user": "app-{}", "password": "x"}}',
    "a connection string": "Endpoint=sb://x-{}.servicebus.windows.net/;SharedAccessKey=bbbb=",
}


@dataclass
class CarelessOwners:
    """Uses ``operators`` to undo what it does. Each secret was backed up at the beginning."""

    operators: Operators
    _numbers: count[int] = field(default_factory=count)
    _backups: dict[TargetId, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for target in self.operators.targets:
            vault = self.operators.world.azure.vault(target.vault)
            self._backups[target] = vault.backup(target.name)

    def act(self, event: PlannedEvent, target: TargetId) -> None:
        _, _, what = event.what.partition(" ")
        actions: dict[str, Callable[[TargetId], None]] = {
            "write without tags": self._write_without_tags,
            "write a dead key without tags": self._write_dead_without_tags,
            "rewrite the same value": self._rewrite,
            "write odd tags": self._write_odd_tags,
            "write an odd expiry": self._write_odd_expiry,
            "move the secret": self._move,
            "run another rotation service": self._rotate_elsewhere,
            "hide the account": self._hide_account,
            "move the account": self._move_account,
            "restore a backup": self._restore,
        }
        if target not in self.operators.world.secrets():
            return
        if what in actions:
            actions[what](target)
        else:
            self._write_foreign(target, FOREIGN[what.removeprefix("write ")])

    def _write_without_tags(self, target: TargetId) -> None:
        """Write the same value as the portal does."""
        world = self.operators.world
        world.add_version(target, world.latest(target).value, {}, None)

    def _write_dead_without_tags(self, target: TargetId) -> None:
        world = self.operators.world
        before = dict(world.latest(target).tags or {})
        value = f"dead{next(self._numbers):028d}"
        world.observations.foreign_values.add(value)
        world.add_version(target, value, {}, None)
        self._put_right(target, value, before)

    def _rewrite(self, target: TargetId) -> None:
        world = self.operators.world
        world.write_version(target, world.latest(target).value)

    def _write_foreign(self, target: TargetId, form: str) -> None:
        before = dict(self.operators.world.latest(target).tags or {})
        value = form.format(next(self._numbers))
        self.operators.world.write_foreign(target, value)
        self._put_right(target, value, before)

    def _put_right(self, target: TargetId, foreign: str, with_tags: dict[str, str]) -> None:
        """Write a current key in place of a foreign value, unless somebody has."""
        world = self.operators.world

        def undo() -> None:
            if world.latest(target).value == foreign:
                key = world.keys(self.operators.account_of(target))["Key1"]
                now = world.latest(target).tags or {}
                world.add_version(target, key, {**with_tags, **now}, None)

        self.operators.undo_later(undo, target)

    def _write_odd_tags(self, target: TargetId) -> None:
        name, text = ODD_TAGS[next(self._numbers) * 7 % len(ODD_TAGS)]
        world = self.operators.world
        before = dict(world.latest(target).tags or {})
        world.update(target, tags=before | {name: text})

        def undo() -> None:
            now = dict(world.latest(target).tags or {})
            now.pop(name, None)
            world.update(target, tags=now | ({name: before[name]} if name in before else {}))

        self.operators.undo_later(undo, target)

    def _write_odd_expiry(self, target: TargetId) -> None:
        world = self.operators.world
        before = world.latest(target).exp
        expiry = ODD_EXPIRIES[next(self._numbers) % len(ODD_EXPIRIES)]
        world.update(target, exp=expiry)
        self.operators.undo_later(lambda: world.update(target, exp=before), target)

    def _move(self, target: TargetId) -> None:
        """Name another account of the same team, and change their minds."""
        world = self.operators.world
        address = {tags.PROVIDER_ADDRESS: str(world.ids[-1])}
        self.operators.tag(target, address)
        own = {tags.PROVIDER_ADDRESS: str(self.operators.account_of(target))}
        self.operators.undo_later(lambda: self.operators.tag(target, own), target)

    def _rotate_elsewhere(self, target: TargetId) -> None:
        """Regenerate a key and publish it, as a second rotation service does."""
        world, account = self.operators.world, self.operators.account_of(target)
        slot = Slot.KEY1 if next(self._numbers) % 2 else Slot.KEY2
        world.regenerate(slot, account)
        world.write_version(target, world.keys(account)[slot])

    def _hide_account(self, target: TargetId) -> None:
        """Delete the account, and recover it."""
        self._take_away(target)

    def _move_account(self, target: TargetId) -> None:
        """Move it to another resource group, and back. Its keys and its endpoint stay."""
        gone = self._take_away(target)
        if gone:
            accounts = self.operators.world.azure.accounts.by_id
            moved = replace(gone, resource_group="rg-moved")
            accounts[moved.id.lower()] = moved
            self.operators.undo_later(lambda: (accounts.pop(moved.id.lower(), None), None)[1])

    def _take_away(self, target: TargetId) -> Account | None:
        accounts = self.operators.world.azure.accounts.by_id
        name = str(self.operators.account_of(target)).lower()
        gone = accounts.pop(name, None)
        if gone:
            self.operators.undo_later(lambda: accounts.__setitem__(name, gone))
        return gone

    def _restore(self, target: TargetId) -> None:
        """Restore the secret as it was at the beginning, in place of the present one."""
        world = self.operators.world
        vault = world.azure.vault(target.vault)
        world.delete(target)
        vault.purge(target.name)
        vault.restore(self._backups[target])
        value = world.latest(target).value
        if not world.accepts(value):
            world.observations.excuses.uses[target].add(value)
