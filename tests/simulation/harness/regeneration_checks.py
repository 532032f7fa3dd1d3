"""Checks just before a key is regenerated, while its old value still works."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Version
from rotation.domain.ids import TargetId
from rotation.domain.keys import Slot

from .invariants import Invariant
from .ledger import Ledger
from .observations import Observations

WHOLE_SECOND = timedelta(seconds=1)  # Key Vault's times have no fractions
ALMOST_A_DAY = timedelta(hours=23)


class RegenerationChecks:
    """Checks that this key may be regenerated now."""

    def __init__(self, observations: Observations) -> None:
        self._seen, self._world = observations, observations.world
        self._require = observations.invariants.require

    def regenerating(self, account: Account, slot: str) -> None:
        """Raises Violation. A person may regenerate any key at any time."""
        ledger = self._seen.ledger_of(account.id)
        if self._world.interceptor.actor is None:
            self._seen.note(f"a person regenerates {slot} of {account.name}")
            ledger.disturbed_at = self._world.now
            self._seen.excused_values.add(account.keys[slot])
            return
        self._seen.note(f"{slot} of {account.name} is regenerated")
        self._record(ledger, account, slot)
        for target, versions in self._seen.targets(account):
            self._check_published(ledger, target, versions[-1], account.keys[slot])
            self._check_overlap(ledger, target, versions, account.keys[slot])
        self._check_intent(ledger, slot)
        self._check_daily_cap(ledger)
        self._check_repetition(ledger, slot)

    def _record(self, ledger: Ledger, account: Account, slot: str) -> None:
        ledger.regenerated.append((self._world.now, Slot(slot)))
        ledger.per_operation[ledger.operation, slot] += 1
        if ledger.in_emergency or self._seen.is_excused(ledger):
            self._seen.excused_values.add(account.keys[slot])

    def _check_published(
        self, ledger: Ledger, target: TargetId, latest: Version, value: str
    ) -> None:
        if self._seen.is_excused(ledger) or self._seen.is_hidden(ledger, target):
            return
        message = f"the key that {target.name} publishes is regenerated"
        self._require(Invariant.PUBLISHED_KEY_KEPT, latest.value != value, message)
        works = not latest.enabled or self._world.accepts(latest.value)
        message = f"a key is regenerated while the key of {target.name} does not work"
        self._require(Invariant.NO_BROKEN_SECRET, works, message)

    def _check_overlap(
        self, ledger: Ledger, target: TargetId, versions: list[Version], value: str
    ) -> None:
        """The slowest consumer read the value just before it was replaced."""
        replaced = [
            new.created for old, new in pairwise(versions) if old.value == value != new.value
        ]
        if not replaced or ledger.in_emergency or self._seen.is_excused(ledger):
            return
        hidden_at = self._seen.unreadable_since.get(target)
        if hidden_at and hidden_at > self._world.now - self._world.overlap:
            return
        lasted = self._world.now - max(replaced)
        message = f"{target.name}: its old key is revoked {lasted} after it was replaced"
        kept = lasted >= self._world.overlap - WHOLE_SECOND
        self._require(Invariant.OVERLAP_KEPT, kept, message)

    def _check_intent(self, ledger: Ledger, slot: str) -> None:
        if not ledger.journal_lost:
            stored = len(ledger.regenerated) <= len(ledger.intents)
            message = f"{slot} was regenerated without an intent in the journal"
            self._require(Invariant.INTENT_STORED, stored, message)

    def _check_daily_cap(self, ledger: Ledger) -> None:
        if not ledger.journal_lost:
            since = self._world.now - ALMOST_A_DAY
            count = sum(at > since for at, _ in ledger.regenerated)
            within = count <= self._seen.daily_cap
            self._require(Invariant.DAILY_CAP, within, f"{count} regenerates in a day")

    def _check_repetition(self, ledger: Ledger, slot: str) -> None:
        if ledger.disturbed_at or ledger.in_emergency or ledger.journal_lost:
            return
        unknown = sum(call != "probe" for call, _, _ in self._world.interceptor.injected)
        again = ledger.per_operation[ledger.operation, slot] - 1
        message = f"the same operation regenerates {slot} again"
        self._require(Invariant.NO_REPEATED_REGENERATE, again <= unknown, message)
