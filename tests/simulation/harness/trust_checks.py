"""Checks of trust: bindings, foreign values, and membership."""

from __future__ import annotations

from functools import lru_cache

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Secret, Version
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key

from .invariants import Invariant
from .ledger import Ledger
from .observations import Observations


class TrustChecks:
    """Checks that no key goes to a stranger, and that nothing foreign is touched."""

    def __init__(self, observations: Observations) -> None:
        self._seen, self._world = observations, observations.world
        self._require = observations.invariants.require

    def published(self, target: TargetId, secret: Secret, version: Version) -> None:
        """Check a version that the service wrote. A theft is never excused."""
        life = self._world.azure.accounts.lives.get(version.value)
        if life:
            bound = self._world.is_bound(target, life.account.id)
            message = f"{target.name} in {target.vault} receives a key of {life.account.name}"
            self._require(Invariant.KEY_BOUND, bound, message)
            self._check_admitted(target, secret, life.account)
            self._check_suspect(target, life.account)
        before = secret.versions[-2].value if len(secret.versions) > 1 else ""
        kept = before not in self._seen.foreign_values
        excused = target in self._seen.excuses.touched_secrets and self._seen.excuses.of_secret(
            target
        )
        message = f"a foreign value in {target.name} is overwritten"
        self._require(Invariant.FOREIGN_KEPT, kept, message, excused=excused)

    def _check_admitted(self, target: TargetId, secret: Secret, account: Account) -> None:
        """Check that a secret of a shared vault showed a key before it receives one."""
        if self._world.names(target, account.id):
            return
        lives = self._world.azure.accounts.lives
        before = (lives.get(version.value) for version in secret.versions[:-1])
        shown = any(life and life.account is account for life in before)
        message = f"{target.name} never showed a key of {account.name}, and receives one"
        self._require(Invariant.KEY_BOUND, shown, message)

    def _check_suspect(self, target: TargetId, account: Account) -> None:
        """Check that a secret that showed a key just before it was reported gets no new one."""
        trusted = target not in self._seen.suspects
        calm = not self._seen.ledger_of(account.id).in_emergency
        message = f"{target.name} showed the key that leaked, and receives the next one"
        self._require(Invariant.KEY_BOUND, trusted or calm, message)

    def probed(self, values: set[str]) -> None:
        """Check what a worker sends to a data plane."""
        kept = values.isdisjoint(self._seen.foreign_values)
        self._require(Invariant.FOREIGN_NOT_SENT, kept, "a foreign value is sent to a data plane")

    def stored(self, ledger: Ledger, body: bytes, salt: str) -> None:
        """Check a record that the service wrote: no trace of a foreign value."""
        for value in self._seen.foreign_values:
            clean = _fingerprint(value, salt) not in body and value.encode() not in body
            message = "the journal contains a foreign value or its fingerprint"
            self._require(Invariant.FOREIGN_NOT_STORED, clean, message)

    def members(self, account: str, ledger: Ledger, members: set[str]) -> None:
        """Check that a secret leaves an account's record only by an explicit act."""
        for name in ledger.members - members:
            target = self._seen.target_named(name)
            explicit = target in self._seen.acts or self._seen.names_another(target, account)
            excused = self._seen.excuses_secret(ledger, target)
            message = f"{target.name} leaves the rotation, and nobody asked for it"
            self._require(Invariant.STAYS_ENROLLED, explicit, message, excused=excused)
        if ledger.members & members:
            self._require(Invariant.STAYS_ENROLLED, True, "")
        ledger.members = members


@lru_cache(maxsize=4096)
def _fingerprint(value: str, salt: str) -> bytes:
    return Key(value).fingerprint(salt).encode()
