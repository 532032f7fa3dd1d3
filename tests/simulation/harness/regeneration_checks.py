"""Checks just before a key is regenerated, while its old value still works."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Version
from rotation.domain.ids import TargetId
from rotation.domain.keys import Slot

from .invariants import Invariant
from .leak_checks import LeakChecks
from .ledger import Ledger
from .observations import Observations

WHOLE_SECOND = timedelta(seconds=1)  # Key Vault's times have no fractions
MOST_SPARES = 2
MOST_CHANGED = 8  # more, if people change keys or the journal
ALMOST_A_DAY = timedelta(hours=23)


class RegenerationChecks:
    """Checks that this key may be regenerated now."""

    def __init__(self, observations: Observations) -> None:
        self._seen, self._world = observations, observations.world
        self._require = observations.invariants.require
        self._leaks = LeakChecks(observations)

    def regenerating(self, account: Account, slot: str) -> None:
        """Raises Violation. A person may regenerate any key at any time."""
        ledger = self._seen.ledger_of(account.id)
        if self._world.interceptor.actor is None:
            self._seen.note(f"a person regenerates {slot} of {account.name}")
            self._note_revoked_by_hand(ledger, account.keys[slot])
            return
        self._seen.note(f"{slot} of {account.name} is regenerated")
        self._record(ledger, account, slot)
        leaked = self._seen.leaked_keys.holds(account, account.keys[slot])
        if leaked:
            self._leaks.regenerating(ledger, account, slot)
        else:
            self._check_secrets(ledger, account, account.keys[slot])
        self._check_intent(ledger, slot)
        self._check_daily_cap(ledger)
        self._check_repetition(ledger, account, slot)

    def _check_secrets(self, ledger: Ledger, account: Account, value: str) -> None:
        """Check what each secret shows, and what its consumers may still hold."""
        self._seen.excuse_never_admitted(value)
        for target, versions in self._seen.targets(account):
            self._check_published(account, target, versions[-1], value)
            if ledger.in_emergency:
                self._check_spared(ledger, target, versions[-1], value)
            self._check_overlap(ledger, target, versions, value)

    def _note_revoked_by_hand(self, ledger: Ledger, value: str) -> None:
        ledger.revoked_by_hand = self._world.now
        self._seen.excuses.touched_values[value] = self._world.now
        self._seen.excuses.uses[None].add(value)

    def _record(self, ledger: Ledger, account: Account, slot: str) -> None:
        ledger.regenerated.append((self._world.now, Slot(slot)))
        ledger.per_operation[ledger.operation, slot].append(self._world.now)
        if self._seen.leaked_keys.holds(account, account.keys[slot]):
            self._seen.cut_off.add(account.keys[slot])

    def _can_repair(self, account: Account) -> bool:
        """Return whether the account has a key that works and did not leak."""
        keys = account.keys.values()
        return any(
            self._world.accepts(key) and not self._seen.leaked_keys.holds(account, key)
            for key in keys
        )

    def _check_published(
        self, account: Account, target: TargetId, latest: Version, value: str
    ) -> None:
        ledger = self._seen.ledger_of(account.id)
        excused = self._is_unknown(ledger, target, latest)
        if excused:
            self._seen.excuses.uses[target].add(value)
        message = f"the key that {target.name} publishes is regenerated"
        self._require(Invariant.PUBLISHED_KEY_KEPT, latest.value != value, message, excused=excused)
        foreign = self._seen.is_foreign(account, latest)
        replaced = latest.value in self._seen.cut_off  # its secret could not be written to
        works = foreign or replaced or not latest.enabled or self._world.accepts(latest.value)
        works = works or (ledger.in_emergency and not self._can_repair(account))
        message = f"a key is regenerated while the key of {target.name} does not work"
        excused = excused or self._seen.excuses.of_value(latest.value)
        self._require(Invariant.NO_BROKEN_SECRET, works, message, excused=excused)

    def _is_unknown(self, ledger: Ledger, target: TargetId, latest: Version) -> bool:
        """Return whether the worker cannot know what the secret shows."""
        seen = self._seen
        hidden = seen.is_hidden(ledger, target) or seen.is_forgotten(ledger, latest)
        return hidden or seen.excuses_secret(ledger, target)

    def _check_spared(self, ledger: Ledger, target: TargetId, latest: Version, value: str) -> None:
        excused = self._is_unknown(ledger, target, latest)
        message = f"an emergency revokes the key of {target.name}, which was not leaked"
        self._require(Invariant.OTHERS_SPARED, latest.value != value, message, excused=excused)

    def _check_overlap(
        self, ledger: Ledger, target: TargetId, versions: list[Version], value: str
    ) -> None:
        """The slowest consumer read the value just before it was replaced."""
        replaced = [
            new.created for old, new in pairwise(versions) if old.value == value != new.value
        ]
        if not replaced:
            return
        hidden_at = self._seen.unreadable_since.get(target)
        hidden = hidden_at is not None and hidden_at > self._world.now - self._world.overlap
        excused = hidden or self._seen.excuses_secret(ledger, target)
        lasted = self._world.now - max(replaced)
        message = f"{target.name}: its old key is revoked {lasted} after it was replaced"
        kept = lasted >= self._world.overlap - WHOLE_SECOND
        if excused and not kept:
            self._seen.excuses.uses[target].add(value)
        self._require(Invariant.OVERLAP_KEPT, kept, message, excused=excused)

    def _check_intent(self, ledger: Ledger, slot: str) -> None:
        stored = len(ledger.regenerated) <= len(ledger.intents)
        message = f"{slot} was regenerated without an intent in the journal"
        self._require(Invariant.INTENT_STORED, stored, message)

    def _check_daily_cap(self, ledger: Ledger) -> None:
        if ledger.in_emergency:
            return
        since = self._world.now - ALMOST_A_DAY
        if ledger.journal_lost_at:
            since = max(since, ledger.journal_lost_at)
        count = sum(at > since for at, _ in ledger.regenerated)
        within = count <= self._seen.daily_cap
        self._require(Invariant.DAILY_CAP, within, f"{count} regenerates in a day")

    def _check_spares(self, ledger: Ledger, account: Account, slot: str) -> None:
        """An emergency makes a successor; it does not regenerate keys that nobody reported."""
        if self._seen.leaked_keys.holds(account, account.keys[slot]):
            return
        ledger.spares[ledger.operation] += 1
        calls = (call for call, _, _ in self._world.interceptor.injected)
        unknown = sum(call == "arm.regenerate_key" for call in calls)
        changed = MOST_CHANGED if ledger.revoked_by_hand or ledger.journal_lost_at else 0
        few = ledger.spares[ledger.operation] <= MOST_SPARES + unknown + changed
        message = f"an emergency regenerates {slot} again, which was not leaked"
        self._require(Invariant.NO_REPEATED_REGENERATE, few, message)

    def _check_repetition(self, ledger: Ledger, account: Account, slot: str) -> None:
        """A change by hand, or a lost journal, makes the operation begin again."""
        if ledger.in_emergency:
            self._check_spares(ledger, account, slot)
            return
        first, *more = ledger.per_operation[ledger.operation, slot]
        touched = self._seen.excuses.touched_secrets
        secrets = (touched.get(target) for target, _ in self._seen.targets(account))
        changes = (ledger.revoked_by_hand, ledger.journal_lost_at, *secrets)
        excused = any(at and at >= first for at in changes)
        unknown = sum(call != "probe" for call, _, _ in self._world.interceptor.injected)
        message = f"the same operation regenerates {slot} again"
        few = len(more) <= unknown
        self._require(Invariant.NO_REPEATED_REGENERATE, few, message, excused=excused)
