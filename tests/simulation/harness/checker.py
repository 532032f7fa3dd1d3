"""The invariants, looked at on the server's side after every change, whoever the worker was.

Excused is what nobody can keep: a person (or an emergency) changed the account after the facts were
read upon which the worker acted. The window is that short, and it is repaired at the next visit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Secret, Version
from emulator.services.keyvault.vault import Vault
from rotation.domain import tags
from rotation.domain.model import AccountId, Key, Slot, TargetId
from rotation.domain.record import Ending

from .leaked_keys import LeakedKeys
from .ledger import DOCUMENT, Document, Ledger

if TYPE_CHECKING:
    from .world import World

LISTED = timedelta(seconds=60)  # how old a listing of the vaults may be: inventory.FRESH


class Violation(BaseException):
    """An invariant is broken; nothing in the product catches this."""


class Checker:
    """``unreadable_since`` is when a person last made a secret unreadable for its consumers.

    ``excused_values`` may fail consumers: a person or an emergency revoked them on purpose.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.ledgers: dict[str, Ledger] = {}
        self.unreadable_since: dict[TargetId, datetime] = {}
        self.excused_values: set[str] = set()
        self.leaked_keys = LeakedKeys(world.accepts)
        self.stale = timedelta()
        self.daily_cap = 10**6
        world.azure.observers.append(self._observe)
        world.storage.watchers.append(self._written)

    def ledger_of(self, account: str) -> Ledger:
        return self.ledgers.setdefault(account.lower(), Ledger())

    def reset(self) -> None:
        """What was made before the scenario began excuses nothing in it."""
        self.ledgers.clear()

    def journal_lost(self) -> None:
        for ledger in self.ledgers.values():
            ledger.unsure, ledger.disturbed = True, self.world.now

    def expect_fresh_reads(self) -> None:
        """From now on reads are fresh."""
        self.stale = timedelta()

    def check_end(self) -> None:
        """When all is at rest: what was reported as leaked is dead."""
        alive = self.leaked_keys.still_valid()
        if alive and not any(ledger.unsure for ledger in self.ledgers.values()):
            raise Violation(f"a key of {alive[0]} was reported as leaked, and still works")

    def _observe(self, what: str, detail: Any) -> None:
        if what == "account.regenerating":
            self._regenerating(*detail)
        elif what == "account.regenerated":
            _material(detail[0], self.ledger_of(detail[0].id))
        elif what.startswith("secret."):
            self._changed(what, *detail)

    # A key is about to die.

    def _regenerating(self, account: Account, slot: str) -> None:
        ledger, acting = self.ledger_of(account.id), self.world.interceptor.actor
        if acting is None:
            self._note(f"a person regenerates {slot} of {account.name}")
            ledger.disturbed = self.world.now
            self.excused_values.add(account.keys[slot])
            return
        self._note(f"{slot} of {account.name} is regenerated")
        ledger.regenerated.append((self.world.now, Slot(slot)))
        ledger.per_operation[ledger.operation, slot] += 1
        value = account.keys[slot]
        if ledger.emergency or self._excused(ledger):
            self.excused_values.add(value)
        for target, versions in self._targets(account):
            self._check_published(ledger, target, versions[-1], value)
            self._check_overlap(ledger, target, versions, value)
        if not ledger.unsure and len(ledger.regenerated) > len(ledger.intents):
            raise Violation(f"{slot} was regenerated without an intent in the journal")
        self._check_cap(ledger)
        self._check_once(ledger, slot)

    def _check_published(
        self, ledger: Ledger, target: TargetId, latest: Version, value: str
    ) -> None:
        if self._excused(ledger) or self._is_hidden(ledger, target):
            return
        if latest.value == value:
            raise Violation(f"the key that {target.name} publishes is regenerated")
        if latest.enabled and not self.world.accepts(latest.value):
            raise Violation(f"a key is regenerated while {target.name} publishes a dead one")

    def _check_overlap(
        self, ledger: Ledger, target: TargetId, versions: list[Version], value: str
    ) -> None:
        """The slowest consumer read the value just before it gave way."""
        following = pairwise(versions)
        gone = [new.created for old, new in following if old.value == value != new.value]
        dark = self.unreadable_since.get(target)
        if not gone or ledger.emergency or self._excused(ledger):
            return
        lasted = self.world.now - max(gone)
        overlap = self.world.overlap - timedelta(seconds=1)  # Key Vault's times are whole seconds
        if lasted < overlap and not (dark and dark > self.world.now - self.world.overlap):
            raise Violation(f"{target.name}: its old key dies {lasted} after it was replaced")

    def _check_cap(self, ledger: Ledger) -> None:
        day = [at for at, _ in ledger.regenerated if at > self.world.now - timedelta(hours=23)]
        if len(day) > self.daily_cap and not ledger.unsure:
            raise Violation(f"{len(day)} regenerations in a day")

    def _check_once(self, ledger: Ledger, slot: str) -> None:
        """An operation regenerates a slot again only where it cannot know what came of the last."""
        unknown = sum(call != "probe" for call, _, _ in self.world.interceptor.injected)
        again = ledger.per_operation[ledger.operation, slot] - 1
        if again > unknown and not (ledger.disturbed or ledger.emergency or ledger.unsure):
            raise Violation(f"{slot} is regenerated again by the same operation")

    # A secret changes.

    def _changed(
        self, what: str, vault: Vault, secret: Secret, version: Version | None = None
    ) -> None:
        target, account = TargetId(vault.url, secret.name), self._account(secret)
        if self.world.interceptor.actor is None:
            self._meddled(what, target, account, version)
            return
        if account is None:
            return
        ledger = self.ledger_of(account.id)
        if what == "secret.set" and version:
            self._published(account, ledger, target, version)
        elif what == "secret.updated" and version and not version.enabled:
            self._disabled(account, ledger, secret, version)

    def _meddled(
        self, what: str, target: TargetId, account: Account | None, version: Version | None
    ) -> None:
        self._note(f"a person: {what} {target.name}")
        if account:
            self.ledger_of(account.id).disturbed = self.world.now
        if what == "secret.set" and version:
            self.excused_values.add(version.value)
        if what == "secret.deleted" or (version and not version.enabled):
            self.unreadable_since[target] = self.world.now

    def _published(
        self, account: Account, ledger: Ledger, target: TargetId, version: Version
    ) -> None:
        self._note(f"{target.name} publishes a new version")
        self._check_tags(version)
        if self._excused(ledger):
            self.excused_values.add(version.value)
            return
        if (
            version.value not in self.world.interceptor.accepted_keys
            and not self.world.publishes_unproven
        ):
            raise Violation(f"{target.name} publishes a key that was never proven")
        if version.value not in account.keys.values():
            raise Violation(f"{target.name} publishes a value that is no key")
        if not self.world.accepts(version.value):
            raise Violation(f"{target.name} publishes a key that does not work")

    def _disabled(self, account: Account, ledger: Ledger, secret: Secret, version: Version) -> None:
        self._note(f"a version of {secret.name} is disabled")
        if self._excused(ledger):
            return
        if version.value in account.keys.values():
            raise Violation(f"a version of {secret.name} with a live key is disabled")
        if version is secret.current:
            raise Violation(f"the latest version of {secret.name} is disabled")

    def _check_tags(self, version: Version) -> None:
        text = repr(version.tags)
        if any(key in text for key in self.world.azure.accounts.lives):
            raise Violation("a tag holds a key")

    # The journal is written.

    def _written(self, name: str, body: bytes) -> None:
        if name == "sweep":
            return
        document = DOCUMENT.decode(body)
        identity = _id(**document.account)
        account, ledger = self.world.azure.accounts.by_id.get(identity), self.ledger_of(identity)
        if account and any(key in body for key in ledger.material or _material(account, ledger)):
            raise Violation("the journal holds a key")
        ledger.seen = {*document.seen}
        if document.intent:
            ledger.intents.add(document.intent.id)
        ledger.operation = document.operation.id if document.operation else ""
        self._emergencies(account, ledger, document)
        if document.epoch > ledger.epoch:
            ledger.epoch = document.epoch
            if account and document.history:
                self._done(account, ledger, document)

    def _emergencies(self, account: Account | None, ledger: Ledger, document: Document) -> None:
        asked = {wish.id: wish for wish in document.wishes if wish.kind == "emergency"}
        for new in asked.keys() - ledger.emergencies:
            ledger.emergencies.add(new)
            ledger.disturbed = self.world.now
            if account:
                since = document.operation.started_at if document.operation else None
                self.leaked_keys.report(account, asked[new].leaked, since)
        running = document.operation and document.operation.purpose == "emergency"
        ledger.emergency = bool(asked or running)

    def _done(self, account: Account, ledger: Ledger, document: Document) -> None:
        """An operation that says so has really made the old key useless."""
        done = document.history[-1]
        self._note(f"{done.purpose} ends: {done.outcome}")
        if done.ending in (Ending.UNENROLLED, Ending.CANCELLED):
            self.leaked_keys.reported.pop(account.name, None)
        if not done.proven:
            return
        values = {value for _, keys in account.history for value in keys.values()}
        old = [v for v in values if Key(v).fingerprint(document.salt) == done.retired]
        if any(self.world.accepts(value) for value in old) and not self._excused(ledger):
            raise Violation("an operation is done although its old key is accepted")

    # Who and what.

    def _excused(self, ledger: Ledger) -> bool:
        acting, disturbed = self.world.interceptor.actor, ledger.disturbed
        if disturbed is None or acting is None:
            return False
        return disturbed >= acting.facts_at - self.stale - LISTED

    def _is_hidden(self, ledger: Ledger, target: TargetId) -> bool:
        """Never seen, in a vault that cannot be listed: the price of going on without it."""
        if str(target) in ledger.seen:
            return False
        faulty = any(
            call == "keyvault.list_secrets" for call, _, _ in self.world.interceptor.injected
        )
        return faulty or not self.world.azure.vault(target.vault).open

    def _targets(self, account: Account) -> list[tuple[TargetId, list[Version]]]:
        return [
            (TargetId(vault.url, secret.name), secret.versions)
            for vault in self.world.azure.keyvault.vaults.values()
            for secret in vault.secrets.values()
            if self._account(secret) is account
        ]

    def _account(self, secret: Secret) -> Account | None:
        try:
            found = tags.enrolled(secret.current.tags or {})
        except ValueError:
            return None
        return self.world.azure.accounts.by_id.get(str(found).lower()) if found else None

    def _note(self, what: str) -> None:
        self.world.interceptor.note(what)


def _material(account: Account, ledger: Ledger) -> list[bytes]:
    """The account's keys of now and of a while ago."""
    recent = {value for _, keys in account.history[-3:] for value in keys.values()}
    ledger.material = [value.encode() for value in recent]
    return ledger.material


@cache
def _id(subscription: str, resource_group: str, name: str) -> str:
    """As the emulator keeps its accounts."""
    return str(AccountId(subscription, resource_group, name)).lower()
