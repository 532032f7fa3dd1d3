"""The checker's observations, and the cases in which it excuses a violation.

Nobody can keep an invariant if a person (or an emergency) changed the account after the worker had
read the facts that it acts on. That window is short, and the next visit repairs the damage.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Secret, Version
from rotation.domain import tags
from rotation.domain.ids import TargetId

from .leaked_keys import LeakedKeys
from .ledger import Ledger

if TYPE_CHECKING:
    from .world import World

LISTING_AGE = timedelta(seconds=60)  # how old a vault's listing may be: inventory.FRESH
NO_CAP = 10**6


class Observations:
    """``unreadable_since`` is when a person last hid a secret from its consumers.

    ``excused_values`` may fail consumers: a person or an emergency revoked them on purpose.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.invariants = world.invariants
        self.ledgers: dict[str, Ledger] = {}
        self.unreadable_since: dict[TargetId, datetime] = {}
        self.excused_values: set[str] = set()
        self.leaked_keys = LeakedKeys(world.accepts)
        self.read_staleness = timedelta()
        self.daily_cap = NO_CAP

    def ledger_of(self, account: str) -> Ledger:
        return self.ledgers.setdefault(account.lower(), Ledger())

    def forget_setup(self) -> None:
        """Excuse nothing because of what the set-up of the scenario did."""
        self.ledgers.clear()
        self.excused_values.clear()

    def journal_lost(self) -> None:
        for ledger in self.ledgers.values():
            ledger.journal_lost, ledger.disturbed_at = True, self.world.now

    def is_excused(self, ledger: Ledger) -> bool:
        """Return whether the acting worker cannot have known of the last interference."""
        actor, disturbed_at = self.world.interceptor.actor, ledger.disturbed_at
        if disturbed_at is None or actor is None:
            return False
        return disturbed_at >= actor.facts_at - self.read_staleness - LISTING_AGE

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
