"""The checker's observations: what people did, and the state of each account's record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Secret, Version
from rotation.domain import tags
from rotation.domain.ids import TargetId

from .excuses import Excuses
from .leaked_keys import LeakedKeys
from .ledger import Ledger

if TYPE_CHECKING:
    from .world import World

RECENTLY = timedelta(minutes=5)
NO_CAP = 10**6


class Observations:
    """``unreadable_since`` is when a person last hid a secret from its consumers.

    ``cut_off`` are the values that an emergency has revoked, so that their consumers fail.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.invariants = world.invariants
        self.ledgers: dict[str, Ledger] = {}
        self.unreadable_since: dict[TargetId, datetime] = {}
        self.excuses = Excuses(self._facts_at)
        self.cut_off: set[str] = set()
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
        self.leaked_keys.reported.clear()

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
        facts_at = self._facts_at()
        visible = facts_at is None or latest.created <= facts_at
        return bool(vault.open and latest.enabled and visible and not failed)

    def is_hidden(self, ledger: Ledger, target: TargetId) -> bool:
        """Return whether the service never saw the secret, because its vault cannot be listed."""
        if str(target) in ledger.observed_secrets:
            return False
        injected = self.world.interceptor.injected
        not_listed = any(call == "keyvault.list_secrets" for call, _, _ in injected)
        return not_listed or not self.world.azure.vault(target.vault).open

    def targets(self, account: Account) -> list[tuple[TargetId, list[Version]]]:
        return [
            (TargetId(vault.url, secret.name), secret.versions)
            for vault in self.world.azure.keyvault.vaults.values()
            for secret in vault.secrets.values()
            if self.account_of(secret) is account
        ]

    def account_of(self, secret: Secret) -> Account | None:
        """Return the account that the secret is enrolled for."""
        try:
            found = tags.enrolled(secret.current.tags or {})
        except ValueError:
            return None
        return self.world.azure.accounts.by_id.get(str(found).lower()) if found else None

    def note(self, text: str) -> None:
        self.world.interceptor.note(text)
