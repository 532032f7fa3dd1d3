"""The emulated Azure, the service's storage, and changes by hand.

Workers use it at one of two levels: ``port`` (the ports directly on its state) or ``wire`` (the
real SDK clients). The faults, the checker and everything else are the same at both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.azure import virtual
from emulator.services.accounts import Account
from emulator.services.keyvault.model import Version
from rotation.domain import tags
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot
from rotation.domain.record import Record

from .checker import Checker
from .interceptor import Interceptor
from .invariants import Invariants
from .observations import Observations
from .storage import Storage
from .worker import Worker, record_of

START = datetime(2026, 11, 23, tzinfo=UTC)
LATEST = 10**11  # seconds: about the year 5138
VAULT = "https://kv-a.vault.azure.net"
ACCOUNT = AccountId("sub-1", "rg-keys", "aoai-demo")


class World:
    """Accounts, secrets and time. ``interceptor`` has every call that a worker made."""

    def __init__(
        self,
        *,
        level: str = "port",
        seed: int = 0,
        overlap: timedelta = timedelta(hours=26),
        accepts_any_key: bool = False,
        **account: Any,
    ) -> None:
        self.level, self.overlap = level, overlap
        self.publishes_unproven = False  # ROTATION_PROBE=accept
        self.consumer_requests = 0
        self.consumer_failures: Counter[TargetId] = Counter()
        self.azure = virtual(START, seed)
        self.azure.arm.throttling.enforced = False
        self.interceptor = Interceptor(self.azure, accepts_any_key=accepts_any_key)
        self.storage = Storage()
        self.sent: list[Mapping[str, Any]] = []
        self.account = ACCOUNT
        self.ids: list[AccountId] = []
        self.scopes: list[tuple[str, str]] = []
        self._shape = account
        self._states: dict[AccountId, Account] = {}
        self.azure.topics.add("topic")
        self.identity = self.azure.add_principal("rotation")
        self.identity.assign("EventGrid Data Sender", self.azure.topics.id_of("topic"))
        self.invariants = Invariants()
        self.observations = Observations(self)
        self.checker = Checker(self.observations)

    def add_account(
        self, account: AccountId = ACCOUNT, kind: str = "OpenAI", *, ours: bool = True, **more: Any
    ) -> None:
        """Add an account. ``ours``: it belongs to the team that is watched."""
        made = self.azure.add_account(
            account.name,
            kind,
            subscription=account.subscription,
            group=account.resource_group,
            **self._shape | more,
        )
        self.identity.assign("Key rotator", made.id)
        self._states[account] = made
        if ours:
            self.ids.append(account)

    def bind(self, vault: str, scope: str) -> None:
        """Bind a vault to an account or a resource group. Without any, all are bound."""
        self.scopes.append((vault, scope))

    def is_bound(self, target: TargetId, account: str) -> bool:
        """Return whether the secret may receive keys of the account."""
        scopes = [f"{scope}/".lower() for vault, scope in self.scopes if vault == target.vault]
        return not self.scopes or any(f"{account}/".lower().startswith(s) for s in scopes)

    def add_secret(
        self,
        name: str = "aoai-key",
        slot: Slot = Slot.KEY1,
        *,
        vault: str = VAULT,
        account: AccountId = ACCOUNT,
        lives: timedelta | None = timedelta(days=20),
        with_tags: Mapping[str, str] | None = None,
        value: str | None = None,
    ) -> TargetId:
        enrolled = {
            tags.PROVIDER_ADDRESS: str(account),
            tags.VALIDITY_PERIOD_DAYS: "90",
            tags.CREDENTIAL_ID: slot.value,
        }
        if vault not in self.vaults:
            made = self.azure.add_vault(vault.removeprefix("https://").partition(".")[0])
            self.identity.assign("Secret publisher", made.id)
        self.add_version(
            TargetId(vault, name),
            self.state(account).keys[slot.value] if value is None else value,
            enrolled | dict(with_tags or {}),
            self.now + lives if lives is not None else None,
        )
        return TargetId(vault, name)

    def names(self, target: TargetId, account: str) -> bool:
        """Return whether a binding of the secret names the account, not only its group."""
        scopes = [scope for vault, scope in self.scopes if vault == target.vault]
        return not self.scopes or account in scopes

    @property
    def now(self) -> datetime:
        return self.azure.clock.now()

    @property
    def vaults(self) -> tuple[str, ...]:
        return tuple(vault.url for vault in self.azure.keyvault.vaults.values())

    @property
    def bindings(self) -> str:
        """Every vault is bound to every account by name, unless a binding is given."""
        if self.scopes:
            return ",".join(f"{vault}={scope}" for vault, scope in self.scopes)
        return ",".join(f"{vault}={account}" for vault in self.vaults for account in self.ids)

    def state(self, account: AccountId = ACCOUNT) -> Account:
        """Return an account of the emulator, also while it is deleted."""
        return self._states[account]

    def account_with(self, slug: str) -> AccountId:
        """Return the account with this slug, of any owner."""
        return next(account for account in self._states if account.slug == slug)

    @property
    def accounts(self) -> dict[str, Account]:
        """The emulator's accounts by their ids in lower case, also while they are deleted."""
        return {str(account).lower(): state for account, state in self._states.items()}

    def keys(self, account: AccountId = ACCOUNT) -> dict[str, str]:
        return self.state(account).keys

    def versions(self, target: TargetId) -> list[Version]:
        return self.azure.secret(target.vault, target.name).versions

    def latest(self, target: TargetId) -> Version:
        return self.versions(target)[-1]

    def published(self, target: TargetId, account: AccountId = ACCOUNT) -> Slot | None:
        value = self.latest(target).value
        return next((Slot(s) for s, key in self.keys(account).items() if key == value), None)

    def accepts(self, value: str) -> bool:
        return self.azure.accounts.accepted(value) is not None

    def secrets(self) -> dict[TargetId, list[Version]]:
        """Return the versions of each secret that is not deleted, enrolled or not."""
        return {
            TargetId(vault.url, secret.name): secret.versions
            for vault in self.azure.keyvault.vaults.values()
            for secret in vault.secrets.values()
        }

    def enrolled(self, account: AccountId = ACCOUNT) -> tuple[TargetId, ...]:
        """Return the secrets of which the latest version is tagged for the account, and bound.

        A closed vault hides its own.
        """
        return tuple(
            target
            for target, versions in self.secrets().items()
            if enrolled_account(versions[-1]) == account
            and self.is_bound(target, str(account))
            and self.azure.vault(target.vault).open
        )

    def record(self, account: AccountId | None = None) -> Record:
        account = account or self.account
        return record_of(self.storage.documents.get(account.slug), account)

    @property
    def regenerated(self) -> list[tuple[datetime, Slot]]:
        """The slots of the first account that the service regenerated."""
        return self.observations.ledger_of(str(self.account)).regenerated

    def add_version(
        self, target: TargetId, value: str, with_tags: Mapping[str, str], expires: datetime | None
    ) -> Version:
        return self.azure.add_secret(
            target.vault, target.name, value=value, tags=with_tags, expires=expires
        )

    def write_version(self, target: TargetId, value: str) -> None:
        """Publish a value by hand, with the tags and expiry of the latest version."""
        latest = self.latest(target)
        sane = latest.exp is not None and 0 < latest.exp < LATEST
        expires = datetime.fromtimestamp(latest.exp or 0, UTC) if sane else None
        self.add_version(target, value, latest.tags or {}, expires)

    def write_foreign(self, target: TargetId, value: str) -> None:
        """Write a value that is not a key of any account."""
        self.observations.foreign_values.add(value)
        self.write_version(target, value)

    def update(self, target: TargetId, **changes: Any) -> None:
        """Change members of the latest version by hand: enabled, tags, exp."""
        vault = self.azure.vault(target.vault)
        vault.update(vault.secret(target.name), self.latest(target), changes)

    def regenerate(self, slot: Slot, account: AccountId = ACCOUNT) -> None:
        """Regenerate a key by hand."""
        self.azure.accounts.regenerate(self.state(account), slot.value)

    def delete(self, target: TargetId) -> None:
        self.azure.vault(target.vault).delete(target.name)

    def lose_journal(self) -> None:
        self.storage.documents.clear()
        self.observations.journal_lost()

    def advance(self, delta: timedelta) -> None:
        self.azure.advance(delta)


def enrolled_account(version: Version) -> AccountId | None:
    try:
        return tags.enrolled(version.tags or {})
    except ValueError:
        return None


def single_account(world: World | None = None, **secret: Any) -> tuple[World, TargetId, Worker]:
    """Return a world with one account and one enrolled secret, and a worker."""
    world = world or World()
    world.add_account()
    target = world.add_secret(**secret)
    return world, target, Worker(world)
