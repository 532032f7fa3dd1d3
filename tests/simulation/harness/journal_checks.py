"""Checks after a record was written to the journal."""

from __future__ import annotations

from functools import cache

from emulator.services.accounts import Account
from rotation.domain.ids import AccountId
from rotation.domain.keys import Key
from rotation.domain.operation import Ending
from rotation.engine.journal import SLUG

from .invariants import Invariant
from .journal_document import JournalDocument, Operation, decode
from .ledger import Ledger
from .observations import Observations
from .trust_checks import TrustChecks

BESIDE = "forced-"


class JournalChecks:
    """Checks that the journal contains no key, and that its endings are true."""

    def __init__(self, observations: Observations, trust: TrustChecks) -> None:
        self._trust = trust
        self._seen, self._world = observations, observations.world
        self._require = observations.invariants.require

    def written(self, name: str, body: bytes) -> None:
        """Raises Violation."""
        beside = name.startswith(BESIDE)  # only for a forced emergency
        if len(name.removeprefix(BESIDE)) != SLUG:
            return
        document = decode(body)
        identity = _emulator_id(**document.account)
        account, ledger = self._world.accounts.get(identity), self._ledger(identity)
        if account:
            self._check_material(account, ledger, body)
        self._trust.stored(ledger, body, document.salt)
        if beside:
            if document.intent:
                ledger.intents.add(document.intent.id)
            return
        self._trust.members(identity, ledger, {*document.members, *document.seen})
        ledger.observed_secrets = {*document.seen}
        self._seen.admitted |= {self._seen.target_named(name) for name in ledger.members}
        if document.intent:
            ledger.intents.add(document.intent.id)
        ledger.operation = document.operation.id if document.operation else ""
        self._note_emergencies(account, ledger, document)
        if document.epoch > ledger.epoch:
            ledger.epoch = document.epoch
            if account and document.history:
                self._check_ended(account, ledger, document.history[-1], document.salt)

    def remember_keys(self, account: Account) -> list[bytes]:
        """Return the account's recent keys, which the journal must not contain."""
        recent = {value for _, keys in account.history[-3:] for value in keys.values()}
        found = self._ledger(account.id).recent_keys = [value.encode() for value in recent]
        return found

    def _ledger(self, account: str) -> Ledger:
        return self._seen.ledger_of(account)

    def _check_material(self, account: Account, ledger: Ledger, body: bytes) -> None:
        keys = ledger.recent_keys or self.remember_keys(account)
        clean = not any(key in body for key in keys)
        self._require(Invariant.NO_KEY_IN_JOURNAL, clean, "the journal contains a key")

    def _note_emergencies(
        self, account: Account | None, ledger: Ledger, document: JournalDocument
    ) -> None:
        requested = {each.id: each for each in document.requests if each.kind == "emergency"}
        for new in requested.keys() - ledger.emergencies:
            ledger.emergencies.add(new)
            if account:
                since = document.operation.started_at if document.operation else None
                leaked, now = requested[new].leaked, self._world.now
                self._seen.leaked_keys.report(account, new, leaked, since, now)
        running = document.operation and document.operation.purpose == "emergency"
        ledger.named_in_record = bool(requested or running)

    def _check_ended(self, account: Account, ledger: Ledger, done: Operation, salt: str) -> None:
        """An operation that reports its old key as refused must be right."""
        self._seen.note(f"{done.purpose} ends: {done.outcome}")
        if done.ending in (Ending.UNENROLLED, Ending.CANCELLED):
            gone = {done.id, *done.requests} - ledger.open_emergencies
            self._seen.leaked_keys.withdraw(gone)
        if not done.proven:
            return
        values = {value for _, keys in account.history for value in keys.values()}
        old = [value for value in values if Key(value).fingerprint(salt) == done.retired]
        if old:
            refused = not any(self._world.accepts(value) for value in old)
            message = "an operation has ended although its old key is accepted"
            self._require(Invariant.OLD_KEY_REFUSED, refused, message)


@cache
def _emulator_id(subscription: str, resource_group: str, name: str) -> str:
    """Return an account's id as the emulator stores it."""
    return str(AccountId(subscription, resource_group, name)).lower()
