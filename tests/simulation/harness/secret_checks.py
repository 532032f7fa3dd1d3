"""Checks after a secret was changed: published, disabled or tagged."""

from __future__ import annotations

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Secret, Version
from emulator.services.keyvault.vault import Vault
from rotation.domain.ids import TargetId

from .invariants import Invariant
from .observations import Observations


class SecretChecks:
    """Checks the versions and tags that the service writes."""

    def __init__(self, observations: Observations) -> None:
        self._seen, self._world = observations, observations.world
        self._require = observations.invariants.require

    def changed(
        self, event: str, vault: Vault, secret: Secret, version: Version | None = None
    ) -> None:
        """Raises Violation. A person may change any secret at any time."""
        target, account = TargetId(vault.url, secret.name), self._seen.account_of(secret)
        if self._world.interceptor.actor is None:
            self._record_interference(event, target, account, version)
        elif account and version and event == "secret.set":
            self._check_published(account, target, version)
        elif account and version and event == "secret.updated" and not version.enabled:
            self._check_disabled(account, secret, version)

    def _record_interference(
        self, event: str, target: TargetId, account: Account | None, version: Version | None
    ) -> None:
        self._seen.note(f"a person: {event} {target.name}")
        if account:
            self._seen.ledger_of(account.id).disturbed_at = self._world.now
        if event == "secret.set" and version:
            self._seen.excused_values.add(version.value)
        if event == "secret.deleted" or (version and not version.enabled):
            self._seen.unreadable_since[target] = self._world.now

    def _check_published(self, account: Account, target: TargetId, version: Version) -> None:
        self._seen.note(f"{target.name} publishes a new version")
        self._check_tags(version)
        if self._seen.is_excused(self._seen.ledger_of(account.id)):
            self._seen.excused_values.add(version.value)
            return
        value, name = version.value, target.name
        if not self._world.publishes_unproven:
            verified = value in self._world.interceptor.accepted_keys
            message = f"{name} publishes a key that was never verified"
            self._require(Invariant.KEY_VERIFIED, verified, message)
        current = value in account.keys.values()
        message = f"{name} publishes a value that is not a key of the account"
        self._require(Invariant.KEY_IS_CURRENT, current, message)
        message = f"{name} publishes a key that does not work"
        self._require(Invariant.KEY_WORKS, self._world.accepts(value), message)

    def _check_disabled(self, account: Account, secret: Secret, version: Version) -> None:
        self._seen.note(f"a version of {secret.name} is disabled")
        if self._seen.is_excused(self._seen.ledger_of(account.id)):
            return
        old = version.value not in account.keys.values()
        message = f"a version of {secret.name} with a current key is disabled"
        self._require(Invariant.LIVE_VERSION_KEPT, old, message)
        message = f"the latest version of {secret.name} is disabled"
        self._require(Invariant.LATEST_VERSION_KEPT, version is not secret.current, message)

    def _check_tags(self, version: Version) -> None:
        text = repr(version.tags)
        clean = not any(key in text for key in self._world.azure.accounts.lives)
        self._require(Invariant.NO_KEY_IN_TAGS, clean, "a tag contains a key")
