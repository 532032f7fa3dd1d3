"""Many accounts with a secret each, and a check of every change to their keys."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

from emulator.azure import SUBSCRIPTION, Azure
from emulator.services.accounts import Account
from emulator.services.keyvault.model import Secret, Version
from emulator.services.keyvault.vault import Vault
from rotation.domain.ids import AccountId

VAULTS = ("kv-east", "kv-west")
KINDS = ("OpenAI", "SpeechServices")
SUBSCRIPTIONS = 4
# Each rotation's trigger, and for how many more days the secret is valid. An event only makes the
# service look, so that its secrets are due too.
ASKED_BY = {"sweep": 1, "event": 1, "request": 80}
BINDINGS = ",".join(
    f"{vault}=/subscriptions/{SUBSCRIPTION[:-1]}{number}"
    for vault in VAULTS
    for number in range(SUBSCRIPTIONS)
)
WHOLE_SECOND = timedelta(seconds=1)  # Key Vault's times have no smaller parts


@dataclass(frozen=True)
class Enrolled:
    """An account, the secret that publishes its first key, and the trigger of its rotation."""

    account: Account
    vault: str
    secret: Secret
    original: str
    asked_by: str

    @property
    def id(self) -> AccountId:
        return AccountId.parse(self.account.id)

    def is_done(self) -> bool:
        """Return whether the original key and all versions with old keys are gone."""
        *old, current = self.secret.versions
        keys = self.account.keys.values()
        dead = (not version.enabled for version in old if version.value not in keys)
        return self.original not in keys and current.value in keys and all(dead)


@dataclass
class Estate:
    """``outages`` describes each moment at which consumers lost their key."""

    azure: Azure
    overlap: timedelta
    enrolled: dict[str, Enrolled] = field(default_factory=dict)
    regenerated: Counter[str] = field(default_factory=Counter)
    outages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for vault in VAULTS:
            added = self.azure.add_vault(vault)
            added.events.near_delay, added.topic.duplicates = timedelta(seconds=2), 0.3
        self.azure.observers.append(self._see)

    def enrol(self, number: int) -> None:
        """Add an account, with rights for all workers, and its secret."""
        asked_by = tuple(ASKED_BY)[number % len(ASKED_BY)]
        name, vault = f"{asked_by}-{number}", VAULTS[number % len(VAULTS)]
        account = self._account(name, number)
        for worker in self.azure.identity.principals:
            worker.assign("Key rotator", account.id)
        self.azure.add_secret(
            vault,
            name,
            publishes=(name, "Key1"),
            tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
            expires=self.azure.clock.now() + timedelta(days=ASKED_BY[asked_by]),
        )
        secret = self.azure.secret(vault, name)
        self.enrolled[name] = Enrolled(account, vault, secret, account.keys["Key1"], asked_by)

    def _account(self, name: str, number: int) -> Account:
        """Add an account, each in another subscription: ARM limits calls by subscription."""
        kind = KINDS[number % 5 % 2]
        subscription = SUBSCRIPTION[:-1] + str(number % SUBSCRIPTIONS)
        own = kind == "OpenAI"
        return self.azure.add_account(name, kind, subscription=subscription, custom_domain=own)

    def asked_by(self, what: str) -> list[Enrolled]:
        return [found for found in self.enrolled.values() if found.asked_by == what]

    def unfinished(self) -> list[Enrolled]:
        return [found for found in self.enrolled.values() if not found.is_done()]

    def works(self, value: str) -> bool:
        return self.azure.accounts.accepted(value) is not None

    def _see(self, what: str, detail: Any) -> None:
        if what == "account.regenerating":
            self._regenerating(*detail)
        elif what == "secret.set":
            self._published(*detail)

    def _regenerating(self, account: Account, slot: str) -> None:
        """The slowest consumer read the value just before it was replaced."""
        self.regenerated[account.name] += 1
        value, versions = account.keys[slot], self.enrolled[account.name].secret.versions
        if versions[-1].value == value:
            self.outages.append(f"{account.name}: {slot} is published and revoked")
        replaced = [newer.created for older, newer in pairwise(versions) if older.value == value]
        lasted = self.azure.clock.now() - max(replaced, default=account.created)
        if replaced and lasted < self.overlap - WHOLE_SECOND:
            self.outages.append(f"{account.name}: {slot} is revoked {lasted} after it was replaced")

    def _published(self, vault: Vault, secret: Secret, version: Version) -> None:
        if not self.works(version.value):
            self.outages.append(f"{secret.name}: a key that does not work is published")
