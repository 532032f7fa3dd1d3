"""Another team, careless or hostile. Its vault is bound only to its own account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from rotation.domain import tags
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot

from .odd_tags import ODD_EXPIRIES, ODD_TAGS
from .plan import PlannedEvent
from .world import World

VAULT = "https://kv-neighbours.vault.azure.net"
# Three accounts that a sweep visits first.
ACCOUNTS = sorted(
    (AccountId("sub-1", "rg-neighbours", f"neighbour-{number}") for number in range(100)),
    key=lambda account: account.slug,
)[:3]
ACCOUNT = ACCOUNTS[0]
SECRET = TargetId(VAULT, "theirs")
ACTIONS = (
    "neighbours claim with a dead key",
    "neighbours claim with the spare key",
    "neighbours claim with the live key",
    "neighbours claim with a placeholder",
    "neighbours claim an account that nobody enrolled",
    "neighbours write odd tags",
    "neighbours write an odd expiry",
    "neighbours write dead keys",
    "neighbours write a password",
    "neighbours write without tags",
    "neighbours regenerate",
    "neighbours pause",
    "neighbours disable",
    "neighbours delete",
    "neighbours close the vault",
    "neighbours lock the account",
    "neighbours switch keys off",
    "neighbours garble their record",
    "neighbours upgrade their record",
    "neighbours remove the account",
)
QUIET = AccountId("sub-1", "rg-keys", "quiet")


SHARED = TargetId(VAULT, "shared")
REWRITES = (
    "neighbours share: rewrite the same value",
    "neighbours share: write without tags",
)
DATE_ACTIONS = (
    "neighbours share: set a short validity",
    "neighbours share: set a near expiry",
)
SHARED_ACTIONS = (
    *REWRITES,
    *DATE_ACTIONS,
    "neighbours share: write dead keys",
    "neighbours share: publish the spare key in three secrets",
)


def add_neighbours(world: World, *, shared: bool = False) -> None:
    """Add the team, and an account that nobody enrolled."""
    world.add_account(QUIET, ours=False)
    for account in ACCOUNTS:
        world.add_account(account, ours=False)
        world.bind(VAULT, str(account))
        name = SECRET.name if account == ACCOUNT else f"{SECRET.name}-{account.name}"
        world.add_secret(name, vault=VAULT, account=account, lives=timedelta(days=20))
    if shared:
        first = world.ids[0]
        world.bind(VAULT, str(first))
        world.add_secret(SHARED.name, vault=VAULT, account=first, lives=timedelta(days=80))


@dataclass
class Neighbours:
    """``event.target`` varies what they do."""

    world: World
    _names: count[int] = field(default_factory=count)

    def act(self, event: PlannedEvent) -> None:
        verb, _, detail = event.what.removeprefix("neighbours ").partition(" ")
        if verb == "share:":
            self._share(detail)
            return
        actions: dict[str, Callable[[str, int], None]] = {
            "claim": self._claim,
            "write": self._write,
            "regenerate": self._regenerate,
            "pause": self._pause,
            "disable": self._disable,
            "delete": self._delete,
            "close": self._close,
            "lock": self._lock,
            "switch": self._switch_off,
            "garble": self._garble,
            "upgrade": self._upgrade,
            "remove": self._remove,
        }
        if verb == "claim" or SECRET in self.world.secrets():
            actions[verb](detail, event.target)

    def _share(self, what: str) -> None:
        """Change the secret of the owners' account that is in their vault."""
        world = self.world
        latest = world.latest(SHARED)
        now = dict(latest.tags or {})
        if what == "rewrite the same value":
            world.write_version(SHARED, latest.value)
        elif what == "write without tags":
            world.add_version(SHARED, latest.value, {}, None)
        elif what == "write dead keys":
            for _ in range(8):
                world.write_version(SHARED, f"beef{next(self._names):028d}")
        elif what == "publish the spare key in three secrets":
            keys = world.keys(world.ids[0])
            spare = next(key for key in keys.values() if key != latest.value)
            for _ in range(3):
                name = f"more-{next(self._names)}"
                world.add_secret(name, vault=VAULT, account=world.ids[0], value=spare)
        elif what == "set a short validity":
            world.update(SHARED, tags=now | {tags.VALIDITY_PERIOD_DAYS: "1"})
        else:
            world.update(SHARED, exp=int((world.now + timedelta(days=1)).timestamp()))

    def _claim(self, what: str, number: int) -> None:
        """Enrol secrets of their vault for somebody else's account."""
        account = QUIET if "nobody" in what else self.world.ids[number % len(self.world.ids)]
        for _ in range(3):
            name = f"claim-{next(self._names)}"
            self.world.add_secret(name, vault=VAULT, account=account, value=self._value(what))

    def _value(self, what: str) -> str:
        keys = self.world.keys(self.world.ids[0])
        owned = [t for t in self.world.secrets() if t.vault != VAULT]
        live = self.world.latest(min(owned)).value if owned else ""
        return {
            "with the spare key": next((k for k in keys.values() if k != live), "d" * 32),
            "with the live key": live,
            "with a placeholder": "to be rotated",
        }.get(what, "d" * 32)

    def _write(self, what: str, number: int) -> None:
        if what == "odd tags":
            name, text = ODD_TAGS[(number + next(self._names)) % len(ODD_TAGS)]
            latest = self.world.latest(SECRET).tags or {}
            self.world.update(SECRET, tags=dict(latest) | {name: text})
        elif what == "an odd expiry":
            self.world.update(SECRET, exp=ODD_EXPIRIES[number % len(ODD_EXPIRIES)])
        elif what == "dead keys":
            for _ in range(8):
                self.world.write_version(SECRET, f"beef{next(self._names):028d}")
        elif what == "a password":
            self.world.write_foreign(SECRET, f"hunter-{next(self._names)}")
        else:
            self.world.add_version(SECRET, self.world.keys(ACCOUNT)["Key1"], {}, None)

    def _regenerate(self, _: str, number: int) -> None:
        for slot in Slot:
            self.world.regenerate(slot, ACCOUNT)

    def _pause(self, _: str, number: int) -> None:
        latest = self.world.latest(SECRET).tags or {}
        self.world.update(SECRET, tags=dict(latest) | {tags.PAUSED: "true"})

    def _disable(self, _: str, number: int) -> None:
        self.world.update(SECRET, enabled=False)

    def _delete(self, _: str, number: int) -> None:
        self.world.delete(SECRET)

    def _close(self, _: str, number: int) -> None:
        self.world.azure.vault(VAULT).open = False

    def _lock(self, _: str, number: int) -> None:
        self.world.state(ACCOUNT).locked = True

    def _switch_off(self, _: str, number: int) -> None:
        for account in ACCOUNTS:
            self.world.state(account).disable_local_auth = True

    def _garble(self, _: str, number: int) -> None:
        self._store(b"{")

    def _upgrade(self, _: str, number: int) -> None:
        """Store the record of a newer version, which this one does not understand."""
        self._store(b'{"format": 99, "account": null}')

    def _store(self, body: bytes) -> None:
        storage = self.world.storage
        storage.documents[ACCOUNT.slug] = (body, storage.number())
        self.world.observations.record_changed(ACCOUNT.slug, forgets_members=True)

    def _remove(self, _: str, number: int) -> None:
        """Delete the account for ever."""
        self.world.azure.accounts.by_id.pop(str(ACCOUNT).lower(), None)
