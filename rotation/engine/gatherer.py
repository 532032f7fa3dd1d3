"""Reads the facts of an account, and missing facts on request. Read-only."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from ..decisions.actions import MissingFacts
from ..decisions.announcements import announced
from ..decisions.evidence import judge
from ..decisions.facts import Facts
from ..decisions.keys import noted
from ..decisions.membership import Context, settle, with_remarks
from ..domain import tags
from ..domain.account import Account
from ..domain.bindings import Bindings
from ..domain.errors import Permanent, RotationError, Transient
from ..domain.evidence import Readers
from ..domain.ids import TargetId, target_id
from ..domain.keys import Key, Keys, Slot
from ..domain.operation import Phase
from ..domain.policy import Policy
from ..domain.record import LEFT, Record
from ..domain.targets import Enrolment, SecretRead, SecretSnapshot, Target, Version
from ..ports import Accounts, Evidence, Probe, Vaults
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from .bindings import BindingRegistry
from .consumers import ConsumerChecks
from .fleet_holds import FRESH, FleetHolds
from .journal import Journal
from .reader import Expected, Read, SecretReader
from .recent import Recent

_PROVISIONED = "Succeeded"
_FAILED = ("Failed", "Canceled")

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass
class Gatherer:
    """Gathers facts. Changes nothing."""

    accounts: Accounts
    vaults: Vaults
    probe: Probe
    reader: SecretReader
    clock: Clock
    policy: Policy
    bindings: BindingRegistry
    journal: Journal
    holds: FleetHolds
    evidence: Evidence | None = None
    ignored: frozenset[str] = frozenset()
    checks: ConsumerChecks | None = None

    async def facts(
        self,
        record: Record,
        known: tuple[TargetId, ...],
        cached_keys: tuple[Key, ...] = (),
        *,
        listed: bool = False,
        in_emergency: bool = False,
        recent: Recent | None = None,
    ) -> Facts:
        """Return current facts. Reads ``known`` targets, and lists the vaults if ``listed``.

        ``in_emergency``: an account in a failed state is tried all the same. What ``recent`` holds
        is not read; it then holds what was read.
        """
        recent = recent or Recent(at=self.clock.now())
        try:
            found = recent.account or await self.accounts.get(record.account)
            account = check_rotatable(found, in_emergency=in_emergency)
        except RotationError:
            if in_emergency:  # what is published may not be readable later
                recent.unlisted = await self._read(record, known, {}, listed=listed, retry=True)
            raise
        # A record without secrets may have been lost, and an emergency concerns them all.
        listed = listed or (in_emergency and not (record.members or record.seen))
        expected = {} if in_emergency or recent.read else await self._expected(record, recent)
        read = recent.read or await self._read(
            record, known, expected, listed=listed, retry=in_emergency
        )
        recent.unlisted = read
        now, max_age = self.clock.now(), self.policy.max_send_age
        keys = recent.keys_for(read, now, max_age) or await self.accounts.keys(record.account)
        recent.note(found, read, keys)
        bindings = await self.bindings.current()
        busy = await self._busy_elsewhere(record, read.snapshots)
        facts = self._settled(record, account, keys, read, bindings, busy)
        blind = in_emergency and not read.snapshots and await self._is_blind()
        return replace(
            facts,
            cached_keys=cached_keys,
            versions=recent.versions,
            version_lists=read.versions,
            verdicts=recent.verdicts,
            control=recent.control,
            is_unlisted=recent.is_answer,
            is_blind=blind,
            is_hold_unread=True,
        )

    async def _expected(self, record: Record, recent: Recent) -> Mapping[TargetId, Expected]:
        """Return what the secrets showed last, if a proof ends now: then their versions are listed.

        The keys are listed first. If that fails, nothing is expected.
        """
        operation = record.operation
        needed = self.policy.probe_successes
        if record.phase is not Phase.PROVE or not operation or operation.successes + 1 < needed:
            return {}
        try:
            recent.keys = recent.keys or await self.accounts.keys(record.account)
        except RotationError:
            return {}
        keys = recent.keys
        values = {keys[slot].fingerprint(record.salt): keys[slot] for slot in Slot}
        return {
            target_id(name): Expected(seen.version, values[seen.fingerprint])
            for name, seen in record.seen.items()
            if seen.fingerprint in values
        }

    async def _read(
        self,
        record: Record,
        known: tuple[TargetId, ...],
        expected: Mapping[TargetId, Expected],
        *,
        listed: bool,
        retry: bool,
    ) -> Read:
        """Read the secrets that the record names and those ``known``, and the listed ones."""
        remembered_ids = {target_id(text) for text in (*record.members, *record.seen)}
        ids = {*known, *remembered_ids}
        if listed or not ids:
            ids = {*await self.reader.inventory.targets(record.account, ids, retry=retry)}
        return await self.reader.read(record.account, ids, remembered_ids, expected)

    async def _is_blind(self) -> bool:
        """Return whether no vault can be listed."""
        listings = await self.reader.inventory.listings()
        return all(listing.error for listing in listings)

    def _settled(
        self,
        record: Record,
        account: Account,
        keys: Keys,
        read: Read,
        bindings: Bindings,
        busy: frozenset[TargetId],
    ) -> Facts:
        now = self.clock.now()
        if not record.known_keys and not record.seen and any(map(_was_managed, read.snapshots)):
            record = replace(record, began_at=now)
        record = noted(record, keys, now)
        context = Context(record, bindings, keys, now, self.policy.overlap, busy)
        found = settle(context, read.snapshots, read.deleted)
        unread = {t: member for t in read.unreadable if (member := context.member(t))}
        members = found.members | {str(t): member for t, member in unread.items()}
        frozen = record.frozen_bindings or (bindings.are_frozen and not bindings.are_lost)
        notes = with_remarks(found.notes, found.targets, self.policy)
        record = replace(record, members=members, notes=notes, frozen_bindings=frozen)
        left = tuple(dict.fromkeys((*record.left, *map(str, found.left))))[-LEFT:]
        record = announced(replace(record, left=left), context, found)
        hidden = [_unread(record, target) for target in unread]
        targets = sorted([*found.targets, *hidden], key=lambda target: target.id)
        return Facts(
            now,
            self.policy,
            record,
            account,
            keys,
            tuple(targets),
            withdrawn=tuple(found.withdrawn),
            foreign=tuple(found.foreign),
            undecided=tuple(found.undecided),
            read_errors=read.unreadable,
        )

    async def _busy_elsewhere(
        self, record: Record, snapshots: Iterable[SecretSnapshot]
    ) -> frozenset[TargetId]:
        """Return the secrets that an operation of another account still publishes to."""
        found = set()
        for snapshot in snapshots:
            slug = tags.rotated_by(snapshot.tags)
            if slug in (None, record.account.slug) or str(snapshot.id) in record.members:
                continue
            other = await self.journal.find(slug)
            if other and other.phase is not Phase.IDLE and str(snapshot.id) in other.seen:
                found.add(snapshot.id)
        return frozenset(found)

    async def resolve(self, f: Facts, missing: MissingFacts) -> Facts:
        """Return the facts with the missing ones added."""
        if missing.versions:
            f = await self._with_versions(f)
        if missing.probe:
            f = await self._with_verdicts(f, missing.probe)
        if missing.readers:
            f = replace(f, readers=await self._readers(f))
        if missing.fleet_hold:
            f = replace(f, fleet_hold=await self.holds.current(FRESH), is_hold_unread=False)
        return f

    async def _with_versions(self, f: Facts) -> Facts:
        """Add the versions of each secret; one whose versions cannot be listed is unreadable."""
        asked = (*f.readable, *f.foreign)
        found = await gather_limited(self._versions(f, target) for target in asked)
        pairs = list(zip(asked, found, strict=True))
        failed = {t.id: e for t, e in pairs if isinstance(e, RotationError)}
        hidden = [_hidden(t) for t in asked if t.id in failed]
        targets = [*(t for t in f.targets if t.id not in failed), *hidden]
        known = [
            _known(f, t, v) for t, vs in pairs if not isinstance(vs, RotationError) for v in vs
        ]
        return replace(
            f,
            targets=tuple(sorted(targets, key=lambda target: target.id)),
            foreign=tuple(t for t in f.foreign if t.id not in failed),
            read_errors={**f.read_errors, **failed},
            versions=tuple(known),
        )

    async def _versions(self, f: Facts, target: Target) -> tuple[Version, ...] | RotationError:
        """Return a secret's versions, or the error; in an emergency none instead of an error.

        This step has just read the latest one, unless that lacks our tags: its format may differ.
        """
        known = {target.version: target.value} if target.value and target.tagged else {}
        try:
            return await self.vaults.read_versions(target.id, known, f.version_lists.get(target.id))
        except RotationError as exc:
            return () if f.leaks else exc

    async def _with_verdicts(self, f: Facts, keys: tuple[Key, ...]) -> Facts:
        asked = [key for key in dict.fromkeys(keys) if key not in f.verdicts]
        control = f.control or await self.probe.try_random(f.account, f.keys.key1)
        verdicts = [await self.probe.try_key(f.account, key) for key in asked]
        return replace(
            f,
            control=control,
            verdicts={**f.verdicts, **dict(zip(asked, verdicts, strict=True))},
            now=self.clock.now(),
        )

    async def _readers(self, f: Facts) -> Readers:
        """Return who has read the secrets since a day before the rotation, and who is behind."""
        behind = await self.checks.behind(f) if self.checks else ()
        if self.checks and not self.evidence:
            return Readers(behind=behind)
        found = await gather_limited(self._reads(f, target) for target in f.targets)
        logged = judge(zip(f.targets, found, strict=True), self.ignored, f.now)
        return dataclasses.replace(logged, behind=behind)

    async def _reads(self, f: Facts, target: Target) -> Sequence[SecretRead] | RotationError:
        """Return the logged reads of a target, or the error if its log cannot be read."""
        since = min(f.operation.started_at, target.created) - timedelta(days=1)
        if not self.evidence:
            return ()
        try:
            return await self.evidence.readers(target.id.vault, target.id.name, since)
        except RotationError as error:
            return error


def _was_managed(snapshot: SecretSnapshot) -> bool:
    """Return whether a secret shows that it was managed before, so that its record was lost."""
    return snapshot.former_tags is not None or tags.rotated_by(snapshot.tags) is not None


def _known(f: Facts, target: Target, version: Version) -> Version:
    """Return a version; of a foreign secret without its value, unless that is a current key."""
    if target not in f.foreign or (version.value and f.keys.slot_of(version.value)):
        return version
    return dataclasses.replace(version, value=None)


def _hidden(target: Target) -> Target:
    return dataclasses.replace(target, value=None, readable=False)


def _unread(record: Record, target: TargetId) -> Target:
    """Return a member that cannot be read as one that publishes what it last published."""
    seen = record.seen.get(str(target))
    return Target(
        id=target,
        version=seen.version if seen else "",
        value=None,
        created=_EPOCH,
        expires=None,
        content_type=None,
        tags={},
        enrolment=Enrolment(record.account),
        readable=False,
    )


def check_rotatable(account: Account, *, in_emergency: bool = False) -> Account:
    """Raise if the account cannot be rotated now; in an emergency a failed state is ignored."""
    if account.local_auth_disabled:
        raise Permanent(
            f"key authentication is disabled on {account.id.name}, so it has no keys to rotate",
            code="LocalAuthDisabled",
            remedy="enable it, or remove the tags from its secrets",
        )
    rotatable = (_PROVISIONED, *(_FAILED if in_emergency else ()))
    if account.provisioning_state not in rotatable:
        raise Transient(
            f"the provisioning state of {account.id.name} is {account.provisioning_state}",
            code="AccountProvisioningStateInvalid",
            retry_after=timedelta(minutes=1),
        )
    return account
