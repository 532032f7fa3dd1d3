"""Checks after a secret was changed: published, disabled or tagged."""

from __future__ import annotations

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Secret, Version
from emulator.services.keyvault.vault import Vault
from rotation.domain import tags
from rotation.domain.ids import TargetId

from .invariants import Invariant
from .observations import Observations
from .trust_checks import TrustChecks


class SecretChecks:
    """Checks the versions and tags that the service writes."""

    def __init__(self, observations: Observations, trust: TrustChecks) -> None:
        self._trust = trust
        self._seen, self._world = observations, observations.world
        self._require = observations.invariants.require

    def changed(
        self, event: str, vault: Vault, secret: Secret, version: Version | None = None
    ) -> None:
        """Raises Violation. A person may change any secret at any time."""
        target = TargetId(vault.url, secret.name)
        if self._world.interceptor.actor is None:
            self._seen.note_act(target, secret, event)
            self._note_person(event, target, secret, version)
            return
        account = self._seen.publishing_account(target, secret)
        if version and event == "secret.set":
            self._trust.published(target, secret, version)
        if account and version and event == "secret.set":
            self._check_published(account, target, version)
        elif account and version and event == "secret.updated" and not version.enabled:
            self._check_disabled(account, target, secret, version)

    def _note_person(
        self, event: str, target: TargetId, secret: Secret, version: Version | None
    ) -> None:
        self._seen.note(f"a person: {event} {target.name}")
        self._seen.excuses.touched_secrets[target] = self._world.now
        if version and version.value.isalnum() and tags.account_of(version.tags or {}):
            self._seen.foreign_values.discard(version.value)  # tagged, it may be a revoked key
        self._seen.excuses.uses[target] |= self._values_at_risk(event, target, secret, version)
        if event == "secret.deleted" or (version and not version.enabled):
            self._seen.unreadable_since[target] = self._world.now

    def _values_at_risk(
        self, event: str, target: TargetId, secret: Secret, version: Version | None
    ) -> set[str]:
        """Return the values with which a person made the secret's consumers fail.

        A value that is not a key of the account, or all that a deleted secret has shown.
        """
        if event == "secret.deleted":
            return {each.value for each in secret.versions}
        if event != "secret.set" or version is None:
            return set()
        account = self._seen.account_of(target, secret)
        ours = account is not None and version.value in account.keys.values()
        return set() if ours and self._world.accepts(version.value) else {version.value}

    def _check_published(self, account: Account, target: TargetId, version: Version) -> None:
        self._seen.note(f"{target.name} publishes a new version")
        self._check_tags(version)
        value, name = version.value, target.name
        excused = self._seen.excuses.of_value(value)
        if not self._world.publishes_unproven and not self._seen.may_publish_unproven(account):
            verified = value in self._world.interceptor.accepted_keys
            message = f"{name} publishes a key that was never verified"
            self._require(Invariant.KEY_VERIFIED, verified, message)
        if self._is_overtaken(value):
            excused = True
            self._seen.excuses.uses[target].add(value)
        current = value in account.keys.values()
        message = f"{name} publishes a value that is not a key of the account"
        self._require(Invariant.KEY_IS_CURRENT, current, message, excused=excused)
        message = f"{name} publishes a key that does not work"
        if self._seen.may_publish_at_once(account):
            excused = True
            self._seen.excuses.uses[target].add(value)
        works = self._world.accepts(value)
        self._require(Invariant.KEY_WORKS, works, message, excused=excused)

    def _is_overtaken(self, value: str) -> bool:
        """Return whether a delayed publish arrives after an emergency has revoked its value.

        Azure cannot take a request back, and an emergency does not wait until none can be under
        way: the leaked key would live longer. The next visit repairs the secret.
        """
        actor = self._world.interceptor.actor
        return actor is not None and actor.late and value in self._seen.cut_off

    def _check_disabled(
        self, account: Account, target: TargetId, secret: Secret, version: Version
    ) -> None:
        self._seen.note(f"a version of {secret.name} is disabled")
        excused = self._seen.excuses_secret(self._seen.ledger_of(account.id), target)
        old = version.value not in account.keys.values()
        message = f"a version of {secret.name} with a current key is disabled"
        self._require(Invariant.LIVE_VERSION_KEPT, old, message, excused=excused)
        message = f"the latest version of {secret.name} is disabled"
        latest = version is secret.current
        self._require(Invariant.LATEST_VERSION_KEPT, not latest, message, excused=excused)

    def _check_tags(self, version: Version) -> None:
        text = repr(version.tags)
        clean = not any(key in text for key in self._world.azure.accounts.lives)
        self._require(Invariant.NO_KEY_IN_TAGS, clean, "a tag contains a key")
