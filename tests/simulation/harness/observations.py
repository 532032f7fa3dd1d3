"""The checker's observations: what people did, and the state of each account's record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Secret, Version
from rotation.domain import tags
from rotation.domain.ids import TargetId, target_id

from .excuses import Excuses
from .leaked_keys import LeakedKeys
from .ledger import Ledger

if TYPE_CHECKING:
    from .world import World

RECENTLY = timedelta(minutes=5)
NO_CAP = 10**6


class Observations:
    """``unreadable_since`` is when a person last hid a secret from its consumers.

    ``acts`` are the explicit acts that unenrol a secret. ``foreign_values`` are not keys of any
    account: passwords, documents, connection strings. ``suspects`` are secrets that were enrolled
    long after the others, because they showed a key. ``cut_off`` are the values that an emergency
    has revoked, so that their consumers fail. ``closed_since`` is when a person last closed a
    vault. ``admitted`` are the secrets that a record has named: only these are enrolled if their
    latest version has no tags.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.invariants = world.invariants
        self.ledgers: dict[str, Ledger] = {}
        self.unreadable_since: dict[TargetId, datetime] = {}
        self.excuses = Excuses(self._facts_at)
        self.cut_off: set[str] = set()
        self.acts: dict[TargetId, datetime] = {}
        self.admitted: set[TargetId] = set()
        self.closed_since: dict[str, datetime] = {}
        self.foreign_values: set[str] = set()
        self.suspects: set[TargetId] = set()
        self.leaked_keys = LeakedKeys(world.accepts)
        self.read_staleness = timedelta()
        self.daily_cap = NO_CAP

    def ledger_of(self, account: str) -> Ledger:
        return self.ledgers.setdefault(account.lower(), Ledger())

    def forget_setup(self) -> None:
        """Excuse nothing because of what the set-up of the scenario did."""
        self.ledgers.clear()
        self.excuses.forget()

    def journal_lost(self) -> None:
        """Note that the service forgets everything, also the leaks that were reported."""
        for ledger in self.ledgers.values():
            ledger.journal_lost_at = self.world.now
            ledger.members = set()
            ledger.open_emergencies.clear()
        self.leaked_keys.reported.clear()

    def record_changed(self, slug: str, *, forgets_members: bool) -> None:
        """Note that somebody has changed, restored or deleted an account's record."""
        account = self.world.account_with(slug)
        ledger = self.ledger_of(str(account))
        ledger.journal_lost_at = self.world.now
        if forgets_members:
            ledger.members = set()

    def _facts_at(self) -> datetime | None:
        """Return how old the acting worker's facts may be; None if a person acts."""
        actor = self.world.interceptor.actor
        return actor.facts_at - self.read_staleness if actor else None

    def excuses_secret(self, ledger: Ledger, target: TargetId) -> bool:
        """Return whether the acting worker cannot have known what a person did to the secret."""
        listed = str(target) not in ledger.observed_secrets
        return self.excuses.of_secret(target, listed=listed)

    def is_reachable(self, target: TargetId, latest: Version) -> bool:
        """Return whether the acting worker can see and write the latest version now.

        An emergency does not wait for other secrets: the leaked key is revoked all the same.
        """
        since = self.world.now - RECENTLY
        calls = self.world.interceptor.failed_at.items()
        failed = any(call.startswith("keyvault") and at >= since for call, at in calls)
        vault = self.world.azure.vault(target.vault)
        return bool(vault.open and latest.enabled and self.is_visible(latest) and not failed)

    def is_visible(self, latest: Version) -> bool:
        """Return whether a version is so old that the acting worker's reads show it."""
        facts_at = self._facts_at()
        return facts_at is None or latest.created <= facts_at

    def is_forgotten(self, ledger: Ledger, latest: Version) -> bool:
        """Return whether the service cannot know that it has published a version.

        Reads do not show it yet, and somebody has deleted the record that names it.
        """
        lost_at = ledger.journal_lost_at
        return lost_at is not None and latest.created <= lost_at and not self.is_visible(latest)

    def may_publish_unproven(self, account: Account) -> bool:
        """Return whether an emergency goes on without a proof, because no probe can give one."""
        return self.is_probe_silent() and self.ledger_of(account.id).in_emergency

    def may_publish_at_once(self, account: Account) -> bool:
        """Return whether a person wanted a key published that may not work yet (``--now``)."""
        impatient = self.ledger_of(account.id).impatient_emergencies
        return bool(impatient) and self.may_publish_unproven(account)

    def is_probe_silent(self) -> bool:
        """Return whether no probe could tell lately whether a key is refused."""
        failed_at = self.world.interceptor.failed_at.get("probe")
        failed = failed_at is not None and failed_at >= self.world.now - RECENTLY
        return failed or self.world.interceptor.accepts_any_key

    def is_foreign(self, account: Account, version: Version) -> bool:
        """Return whether a value is not the account's: without tags, only a former key is."""
        if version.value in self.foreign_values:
            return True
        life = self.world.azure.accounts.lives.get(version.value)
        named = str(tags.account_of(version.tags or {})).lower()
        known = life and life.account is account and not self._is_forgotten(account, version.value)
        return named != account.id.lower() and not known

    def _is_forgotten(self, account: Account, value: str) -> bool:
        """Return whether a key was replaced before the record that remembered it was lost."""
        lost_at = self.ledger_of(account.id).journal_lost_at
        if lost_at is None:
            return False
        before = [keys for at, keys in account.history if at <= lost_at]
        since = [keys for at, keys in account.history if at > lost_at]
        return all(value not in keys.values() for keys in (*before[-1:], *since))

    def is_hidden(self, ledger: Ledger, target: TargetId) -> bool:
        """Return whether the service never saw what the secret shows: its vault cannot be read."""
        if self._was_changed_unseen(target):
            return True
        if str(target) in ledger.observed_secrets:
            return False
        injected = self.world.interceptor.injected
        not_listed = any(call == "keyvault.list_secrets" for call, _, _ in injected)
        return not_listed or not self.world.azure.vault(target.vault).open

    def _was_changed_unseen(self, target: TargetId) -> bool:
        """Return whether a person changed the secret after its vault was closed to the service."""
        touched_at = self.excuses.touched_secrets.get(target)
        closed_at = self.closed_since.get(target.vault)
        if self.world.azure.vault(target.vault).open or not touched_at or not closed_at:
            return False
        return touched_at >= closed_at

    def targets(self, account: Account) -> list[tuple[TargetId, list[Version]]]:
        return [
            (TargetId(vault.url, secret.name), secret.versions)
            for vault in self.world.azure.keyvault.vaults.values()
            for secret in vault.secrets.values()
            if self.account_of(TargetId(vault.url, secret.name), secret) is account
        ]

    def account_of(self, target: TargetId, secret: Secret) -> Account | None:
        """Return the account that the secret is enrolled for, and bound to.

        Once it was admitted, a version without tags changes nothing: those of earlier ones count.
        """
        kept = target in self.admitted and target not in self.acts
        versions = reversed(secret.versions) if kept else (secret.current,)
        named = next(filter(None, (tags.account_of(v.tags or {}) for v in versions)), None)
        found = self.world.azure.accounts.by_id.get(str(named).lower()) if named else None
        return found if found and self.world.is_bound(target, found.id) else None

    def excuse_never_admitted(self, value: str) -> None:
        """Excuse the consumers of secrets that lost their tags before a record named them."""
        for target, versions in self.world.secrets().items():
            tagged = tags.account_of(versions[-1].tags or {}) is not None
            if target not in self.admitted and not tagged and value in {v.value for v in versions}:
                self.excuses.uses[target].add(value)

    def publishing_account(self, target: TargetId, secret: Secret) -> Account | None:
        """Return the account of the latest value if a version or its record names it.

        Else the enrolled one. A secret that moves is written to for its former account until that
        account rests.
        """
        life = self.world.azure.accounts.lives.get(secret.current.value)
        named = {str(tags.account_of(v.tags or {})).lower() for v in secret.versions}
        if life:
            known = str(target) in self.ledger_of(life.account.id).members
            if known or life.account.id.lower() in named:
                return life.account
        return self.account_of(target, secret)

    def note_act(self, target: TargetId, secret: Secret, event: str) -> None:
        """Note whether a person has unenrolled or moved the secret, or enrolled it again."""
        latest = secret.current.tags or {}
        address = tags.account_of(latest)
        earlier = {tags.account_of(v.tags or {}) for v in secret.versions[:-1]} - {None}
        untagged = event == "secret.updated" and tags.PROVIDER_ADDRESS not in latest
        moved = address is not None and bool(earlier - {address})
        if event == "secret.deleted" or untagged or moved:
            self.acts[target] = self.world.now
        elif address is not None:
            self.acts.pop(target, None)

    def names_another(self, target: TargetId, account: str) -> bool:
        """Return whether the secret's latest tags name another account than this one."""
        versions = self.world.secrets().get(target)
        named = tags.account_of(versions[-1].tags or {}) if versions else None
        return named is not None and str(named).lower() != account

    def target_named(self, name: str) -> TargetId:
        """Return a secret by its name in a record."""
        return target_id(name)

    def note(self, text: str) -> None:
        self.world.interceptor.note(text)
