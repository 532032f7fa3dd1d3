"""Looks at accounts at rest: whether their secrets are as they were, and their key still works.

That needs no call to Resource Manager, and finds everything that would hurt a consumer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..decisions.actions import Action, ActionKind
from ..decisions.facts import Facts
from ..domain import standing
from ..domain.account import Account
from ..domain.ids import AccountId, TargetId
from ..domain.operation import Phase
from ..domain.probing import ProbeResult
from ..domain.record import Record
from ..domain.standing import Shown
from ..domain.targets import SecretSnapshot
from .gatherer import Gatherer
from .outcome import Outcome
from .reader import Read
from .recent import Recent

# After this time, an account is visited in full: somebody may have changed the key in reserve.
FULL = timedelta(hours=6)

# Accounts that are remembered; those that were left first are forgotten.
REMEMBERED = 5000

Values = Mapping[TargetId, tuple[SecretSnapshot, str]]


@dataclass(frozen=True)
class Rest:
    """An account as a full visit left it. ``shown`` has a fingerprint in place of each key."""

    at: datetime
    etag: str
    account: Account
    shown: Values


@dataclass
class Resting:
    """Remembers, in this process, how full visits left accounts."""

    gatherer: Gatherer
    _left: dict[AccountId, Rest] = field(default_factory=dict)

    async def is_unchanged(
        self, record: Record, etag: str | None, known: Iterable[TargetId]
    ) -> bool:
        """Return whether nothing has changed that a consumer would notice; False if in doubt."""
        rest = self._left.get(record.account)
        if rest is None or rest.etag != etag or not self._covers(rest, record, known):
            return False
        at = self.gatherer.clock.now()
        read = await self.gatherer.reader.read(record.account, rest.shown, set(rest.shown))
        if shown(read, record.salt) != rest.shown:
            return False
        published = read.snapshots[0].value
        if published is None:
            return False
        verdict = await self.gatherer.probe.try_key(rest.account, published)
        if verdict.result is not ProbeResult.ACCEPTED:
            return False
        await self._settle(rest, record, self._digest(read, at))
        return True

    async def _settle(self, rest: Rest, record: Record, digest: str) -> None:
        """Store what the secrets show, once a later change would show another time."""
        if digest == record.rest:
            return
        etag = await self.gatherer.journal.save(replace(record, rest=digest), rest.etag)
        self._left[record.account] = dataclasses.replace(rest, etag=etag)

    def digest(self, action: Action, facts: Facts, recent: Recent) -> str:
        """Return the digest of an account that a step leaves at rest; empty for any other."""
        read, at = recent.read, recent.at
        if not read or not at or not _is_at_rest(action.kind, facts, action.record):
            return ""
        if {snapshot.id for snapshot in read.snapshots} != {target.id for target in facts.targets}:
            return ""
        return self._digest(read, at)

    def _digest(self, read: Read, at: datetime) -> str:
        if read.unreadable or read.deleted:
            return ""
        secrets = [_listed(snapshot) for snapshot in read.snapshots]
        if not all(secret.enabled and secret.is_settled(at) for secret in secrets):
            return ""
        return f"{standing.digest(secrets, self.gatherer.policy):032x}"

    def _covers(self, rest: Rest, record: Record, known: Iterable[TargetId]) -> bool:
        now = self.gatherer.clock.now()
        is_waiting = record.waiting_until is not None and now < record.waiting_until
        return is_waiting and abs(now - rest.at) < FULL and rest.shown.keys() >= {*known}

    def note(self, outcome: Outcome, recent: Recent, stored: tuple[Record, str] | None) -> None:
        """Remember how a full visit has left an account, if it is at rest."""
        self._left.pop(outcome.account, None)
        facts, read, account = recent.facts, recent.read, recent.account
        if not (facts and read and account and stored):
            return
        record, etag = stored
        if not _is_at_rest(outcome.kind, facts, record) or standing.has_work(record):
            return
        found = shown(read, record.salt)
        if found and found.keys() == {target.id for target in facts.targets}:
            now = self.gatherer.clock.now()
            self._left[record.account] = Rest(now, etag, account, found)
            while len(self._left) > REMEMBERED:
                del self._left[next(iter(self._left))]


def _listed(s: SecretSnapshot) -> Shown:
    """Return what a listing shows of a secret that was read."""
    enabled, content_type = s.value is not None, s.content_type or ""
    return Shown(s.id, enabled, s.created, s.updated, s.expires, content_type, s.tags)


def shown(read: Read, salt: str) -> Values:
    """Return what the enabled secrets show; nothing if one of them lacks our tags."""
    if any(s.former_tags is not None for s in read.snapshots):
        return {}
    return {
        s.id: (dataclasses.replace(s, value=None), s.value.fingerprint(salt))
        for s in read.snapshots
        if s.value
    }


def _is_at_rest(kind: ActionKind, f: Facts, record: Record) -> bool:
    """Return whether all secrets publish one current key, and the account waits."""
    resting = (ActionKind.WAIT, Phase.OVERLAP), (ActionKind.IDLE, Phase.IDLE)
    if (kind, record.phase) not in resting or f.live is None:
        return False
    others = (f.foreign, f.withdrawn, f.undecided, f.read_errors, f.left_behind, f.strays)
    return not any((*others, [e for e in f.emergencies if e.is_open]))
