"""Everything a decision depends on, gathered in one step, with the facts derived from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property

from msgspec import Struct, field

from ..domain.account import Account
from ..domain.emergency import Emergency
from ..domain.errors import RotationError
from ..domain.evidence import Readers
from ..domain.fleet_hold import FleetHold
from ..domain.ids import TargetId
from ..domain.keys import Key, Keys, Slot
from ..domain.membership import has_key_shape
from ..domain.operation import Operation
from ..domain.policy import EffectivePolicy, Policy, ProbePolicy
from ..domain.probing import ProbeResult, ProbeVerdict, accepts
from ..domain.record import ObservedVersion, Record
from ..domain.targets import Target, Version, VersionInfo


class Facts(Struct, frozen=True, dict=True):
    """One account as Azure and the journal showed it at ``now``, which is Azure's time.

    ``targets`` are the members that are bound. One that cannot be read has no value, and its error
    is in ``read_errors``. ``withdrawn`` are members that are no longer bound; ``foreign`` hold a
    value that is not a key of the account; ``undecided`` are targets whose binding is not known
    yet. ``versions``, ``verdicts``, ``control`` and ``readers`` are missing until requested.
    ``verdicts`` are probe results by key; ``control`` is that of a random key. ``cached_keys`` are
    former keys that this process remembers. ``emergencies`` are the open ones, and closed ones.
    ``left_behind`` and ``strays`` are targets that scheduled work goes on without: they held it too
    long, or show a key that works but is not of the account.
    ``fleet_hold`` is a person's hold of all scheduled work, unless ``is_hold_unread``.
    ``is_blind``: no vault can be listed and no secret can be read. ``is_unlisted``: the keys are
    those in the answer to a regenerate. ``version_lists`` are the versions of secrets that this
    step has listed, without values.
    """

    now: datetime
    policy: Policy
    record: Record
    account: Account
    keys: Keys
    targets: tuple[Target, ...]
    versions: tuple[Version, ...] | None = None
    verdicts: Mapping[Key, ProbeVerdict] = field(default_factory=dict)
    control: ProbeVerdict | None = None
    readers: Readers | None = None
    cached_keys: tuple[Key, ...] = ()
    withdrawn: tuple[Target, ...] = ()
    foreign: tuple[Target, ...] = ()
    undecided: tuple[Target, ...] = ()
    read_errors: Mapping[TargetId, RotationError] = field(default_factory=dict)
    emergencies: tuple[Emergency, ...] = ()
    left_behind: tuple[Target, ...] = ()
    strays: tuple[Target, ...] = ()
    is_blind: bool = False
    fleet_hold: FleetHold | None = None
    is_hold_unread: bool = False
    is_unlisted: bool = False
    version_lists: Mapping[TargetId, tuple[VersionInfo, ...]] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        """The running operation. Raises ValueError in phase IDLE, which has none."""
        if self.record.operation is None:
            raise ValueError("no operation is running")
        return self.record.operation

    @cached_property
    def leaks(self) -> tuple[Emergency, ...]:
        """The open emergencies that have begun."""
        return tuple(e for e in self.emergencies if e.is_open and e.begun_at)

    @cached_property
    def effective_policy(self) -> EffectivePolicy:
        return EffectivePolicy.combine(self.targets, self.policy)

    @property
    def known_versions(self) -> tuple[Version, ...]:
        """The versions; none as long as they were not read."""
        return self.versions or ()

    def slot_of(self, target: Target) -> Slot | None:
        """Return the slot a target publishes: by value, or as last observed if disabled."""
        if target.value is not None:
            return self.keys.slot_of(target.value)
        seen = self.record.seen.get(str(target.id))
        if seen is None or seen.version != target.version:
            return None
        return next((s for s in Slot if self.fingerprint(s) == seen.fingerprint), None)

    def fingerprint(self, slot: Slot) -> str:
        """Return the fingerprint of a slot's key."""
        return self.keys[slot].fingerprint(self.record.salt)

    @cached_property
    def readable(self) -> tuple[Target, ...]:
        """Targets whose latest version could be read."""
        return tuple(t for t in self.targets if t.readable)

    @property
    def rereadable(self) -> tuple[Target, ...]:
        """Secrets whose consumers may still hold a key of an earlier version."""
        return (*self.targets, *self.foreign)

    @cached_property
    def live(self) -> Slot | None:
        """The slot that all enabled targets publish, or None if there is no such slot."""
        slots = {self.slot_of(target) for target in self.targets if target.enabled}
        return slots.pop() if len(slots) == 1 else None

    @cached_property
    def broken(self) -> tuple[Target, ...]:
        """Targets whose value is neither key, so their consumers are failing now."""
        return tuple(t for t in self.targets if t.enabled and self.slot_of(t) is None)

    @cached_property
    def unreadable(self) -> tuple[Target, ...]:
        """Disabled targets whose published key is unknown."""
        return tuple(t for t in self.targets if not t.enabled and self.slot_of(t) is None)

    def publishing(self, slot: Slot) -> tuple[Target, ...]:
        """Return the targets that publish this slot's key."""
        return tuple(t for t in self.targets if self.slot_of(t) is slot)

    def not_publishing(self, slot: Slot) -> tuple[Target, ...]:
        """Return the readable targets that do not publish this slot's key."""
        return tuple(t for t in self.readable if self.slot_of(t) is not slot)

    def publishing_other(self, slot: Slot) -> tuple[Target, ...]:
        """Return the targets known to publish a different key."""
        others = (t for t in self.targets if self.slot_of(t) is not slot)
        return tuple(t for t in others if t not in self.unreadable)

    def quarantined_until(self, slot: Slot) -> datetime | None:
        """Return the end of the slot's quarantine, or None if it is over."""
        until = self.record.quarantine.get(slot)
        return until if until is not None and until > self.now else None

    def superseded_at(self, slot: Slot) -> datetime | None:
        """Return when a newer version last replaced the slot's present value; None if never.

        Needs ``versions``. Uses Key Vault's ``created``, not the journal.
        """
        moments = [at for t in self.rereadable for at in self.replacements(t.id, slot)]
        return max(moments, default=None)

    def replacements(self, target: TargetId, slot: Slot) -> tuple[datetime, ...]:
        """Return when newer versions of one secret replaced the slot's present value."""
        return self.replaced(target, lambda version: version.value == self.keys[slot])

    def replaced(self, target: TargetId, counts: Callable[[Version], bool]) -> tuple[datetime, ...]:
        """Return when newer versions of one secret replaced those that count."""
        return tuple(
            self._replaced_at(version)
            for version in self.known_versions
            if version.target == target and counts(version) and not self._is_latest(version)
        )

    def _is_latest(self, version: Version) -> bool:
        shown = (*self.targets, *self.left_behind, *self.strays)
        return any(t.id == version.target and t.version == version.version for t in shown)

    def _replaced_at(self, version: Version) -> datetime:
        """Return when the next version was created. Versions of the same second have no order."""
        following = (v.created for v in self.known_versions if v.target == version.target)
        return min((at for at in following if at > version.created), default=version.created)

    @cached_property
    def retired_key(self) -> Key | None:
        """The key that the operation revokes: from memory or from its old version."""
        values = (*self.cached_keys, *(version.value for version in self.known_versions))
        retired, salt = self.operation.retired, self.record.salt
        return next((v for v in values if v and v.fingerprint(salt) == retired), None)

    @property
    def superseded_key(self) -> Key | None:
        """The key that was published last before the present ones; None if it cannot be read.

        Needs ``versions``.
        """
        ours = {target.id for target in (*self.targets, *self.left_behind, *self.strays)}
        others = [
            (version.created, str(version.target), version.value)
            for version in self.known_versions
            if version.target in ours and self._is_other(version.value)
        ]
        return max(others, key=lambda found: found[:2])[2] if others else None

    def _is_other(self, value: Key | None) -> bool:
        """Return whether a version holds a former key, or may hold one."""
        if value is None:
            return True
        return has_key_shape(value, self.keys) and self.keys.slot_of(value) is None

    @property
    def has_other_salt(self) -> bool:
        """Return whether the record's fingerprints do not belong to its salt.

        A version's value never changes, so the document was then restored or edited.
        """
        seen = [(target, self.record.seen.get(str(target.id))) for target in self.readable]
        return any(
            before.fingerprint and target.value.fingerprint(self.record.salt) != before.fingerprint
            for target, before in seen
            if before and target.value and before.version == target.version
        )

    @cached_property
    def observed(self) -> dict[str, ObservedVersion]:
        """Return the observation to store of each target; a disabled one keeps its last."""
        ours = (*self.targets, *self.withdrawn, *self.left_behind, *self.strays)
        known = {str(t.id): self._observe(t) for t in ours}
        foreign = {str(t.id): self._observe_foreign(t) for t in self.foreign}
        return known | foreign

    def _observe(self, target: Target) -> ObservedVersion:
        before = self.record.seen.get(str(target.id))
        if target.value is None:
            return before or ObservedVersion(target.version, "", tagged=target.tagged)
        same = before is not None and before.version == target.version
        since = before.since if before and same else None
        fingerprint = target.value.fingerprint(self.record.salt)
        return ObservedVersion(target.version, fingerprint, since or self.now, target.tagged)

    def _observe_foreign(self, target: Target) -> ObservedVersion:
        """Remember that a version holds a foreign value, without a fingerprint of it."""
        before = self.record.seen.get(str(target.id))
        if before is not None and before.foreign and target.value is None:
            return before
        same = before is not None and before.foreign and before.version == target.version
        since = before.since if before and same else None
        return ObservedVersion(target.version, "", since or self.now, target.tagged, foreign=True)

    def accepted(self, key: Key) -> bool | None:
        """Return whether the key is proven to be accepted; None if not probed yet."""
        verdict = self.verdicts.get(key)
        if verdict is None or self.control is None:
            return None
        return accepts(verdict, self.control)

    def refused(self, key: Key) -> bool:
        """Return whether the key is proven to be refused.

        The same call must accept a current key in this step: a 401 may have other causes.
        """
        verdict = self.verdicts.get(key)
        if verdict is None or verdict.result is not ProbeResult.REFUSED:
            return False
        return any(self.accepted(self.keys[slot]) for slot in Slot)

    def trusted(self, key: Key) -> bool | None:
        """Return whether probe or policy allow to publish the key; None if not probed yet.

        By policy an inconclusive probe counts; a call that accepts or refuses any key does not.
        """
        verdict, control = self.verdicts.get(key), self.control
        if verdict is None or control is None:
            return None
        if accepts(verdict, control):
            return True
        lenient = self.policy.probe is ProbePolicy.ACCEPT
        refused = verdict.result is ProbeResult.REFUSED
        return lenient and not refused and control.result is not ProbeResult.ACCEPTED

    @property
    def probe_pause(self) -> timedelta:
        """The time that the data plane asked to wait before the next call."""
        tried = (*self.verdicts.values(), *((self.control,) if self.control else ()))
        return max((v.retry_after for v in tried if v.retry_after), default=timedelta())

    def recent(self, times: tuple[datetime, ...]) -> tuple[datetime, ...]:
        """Return the times within the last 24 hours."""
        return tuple(at for at in times if at > self.now - timedelta(days=1))
