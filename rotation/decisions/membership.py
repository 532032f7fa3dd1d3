"""Admission: which secrets are targets of an account, and what makes one leave. Pure.

A binding decides whether a key may go there; the record decides whether it does. Tags only ask for
it, because a person who can write one secret of a vault can write any tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import UNSET
from msgspec.structs import replace

from ..domain import tags
from ..domain.bindings import Bindings, Bound, not_bound
from ..domain.ids import AccountId, TargetId
from ..domain.keys import Key, Keys
from ..domain.membership import Member, has_key_shape
from ..domain.operation import Phase
from ..domain.policy import Policy, remarks, unknown_consumers
from ..domain.record import Record
from ..domain.targets import Enrolment, SecretSnapshot, Target


@dataclass
class Membership:
    """The account's candidate secrets, each with its part in the rotation.

    ``withdrawn`` were members and are no longer bound: nothing is written to them. ``foreign``
    hold a value that is not one of this account's keys, so it is left alone. ``left`` are no
    longer members. ``notes`` are remarks about a secret, by its id.
    """

    members: dict[str, Member] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    withdrawn: list[Target] = field(default_factory=list)
    foreign: list[Target] = field(default_factory=list)
    admitted: list[TargetId] = field(default_factory=list)
    undecided: list[Target] = field(default_factory=list)
    left: list[TargetId] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Everything that decides about membership, for one account at one time.

    ``busy_elsewhere``: secrets that a rotation of another account still publishes to.
    """

    record: Record
    bindings: Bindings
    keys: Keys
    now: datetime
    overlap: timedelta
    busy_elsewhere: frozenset[TargetId] = frozenset()

    @property
    def account(self) -> AccountId:
        return self.record.account

    def member(self, target: TargetId) -> Member | None:
        """Return the record's member; one that the earlier version rotated counts from now."""
        name = str(target)
        return self.record.members.get(name) or self._legacy(target)

    def _legacy(self, target: TargetId) -> Member | None:
        """Return a member for a secret that was rotated before members were recorded, if any."""
        frozen = self.bindings.are_frozen and not self.bindings.is_undecided(target.vault)
        return Member(self.now) if str(target) in self.record.seen and not frozen else None


def settle(
    c: Context, snapshots: Iterable[SecretSnapshot], deleted: Iterable[TargetId] = ()
) -> Membership:
    """Admit, keep or let go of each secret. ``deleted`` are members that no longer exist."""
    found = Membership(left=list(deleted))
    for snapshot in snapshots:
        address = tags.account_of(snapshot.tags)
        member = c.member(snapshot.id)
        if member is None:
            _consider(c, snapshot, address, found)
        elif address not in (None, c.account) and c.record.phase is Phase.IDLE:
            found.left.append(snapshot.id)
        else:
            _keep(c, snapshot, member, address == c.account, found)
    return found


def _consider(c: Context, s: SecretSnapshot, address: AccountId | None, found: Membership) -> None:
    """Admit a secret that is not a member if its tags ask for it and a binding allows it."""
    young = c.record.is_young(c.now) and str(s.id) not in c.record.left
    remembered = young and tags.account_of(s.former_tags or {}) == c.account
    if c.account != address and not (remembered and address is None):
        return
    refusal = _refusal(c, s)
    if refusal:
        found.notes[str(s.id)] = refusal
        return
    member = Member(c.now, shown=c.bindings.of(s.id, c.account) is Bound.BROAD)
    found.admitted.append(s.id)
    _keep(c, s, member, address == c.account, found)


def _refusal(c: Context, s: SecretSnapshot) -> str:
    """Return why a secret may not be admitted now; empty if it may."""
    bound = c.bindings.of(s.id, c.account)
    if bound is Bound.NONE:
        return not_bound(s.id, c.account)
    if bound is Bound.UNDECIDED:
        return "its vault was not listed completely yet; it waits for that"
    if not c.bindings.admits:
        return "ROTATION_BINDINGS is not valid, so nothing new is admitted; correct it"
    if s.id in c.busy_elsewhere:
        return "it moves here once the rotation of its former account is over"
    if bound is Bound.BROAD and not _shows_key(s.value, c.keys):
        if s.value is None:
            return "is disabled, so it does not show a current key; enable it"
        return f"does not show a current key of {c.account.name}; enrol it with the enrol command"
    return ""


def _keep(c: Context, s: SecretSnapshot, member: Member, tagged: bool, found: Membership) -> None:
    """Keep a member, even if its latest version looks foreign, until it leaves explicitly."""
    member = _leaving(c, s, member, tagged)
    if member.leaves_at and member.leaves_at <= c.now and c.record.phase is Phase.IDLE:
        found.left.append(s.id)
        return
    bound = c.bindings.of(s.id, c.account)
    withdrawn = bound is Bound.NONE
    released = withdrawn and member.released
    if bound is not Bound.UNDECIDED or str(s.id) in c.record.members:
        expires = s.expires if member.expires is UNSET else member.expires
        found.members[str(s.id)] = replace(
            member, withdrawn=withdrawn, released=released, expires=expires
        )
    if member.leaves_at:
        found.notes[str(s.id)] = f"its tag {tags.PROVIDER_ADDRESS} was removed"
    target = _target(c, s, tagged)
    if not tagged and not member.leaves_at:
        found.notes[str(s.id)] = "the latest version has no tags; ours come back"
    if withdrawn:
        found.withdrawn.append(target)
        found.notes[str(s.id)] = f"no longer bound to {c.account.name}; not written to"
    elif _is_foreign(c, target):
        found.foreign.append(target)
        found.notes[str(s.id)] = "its value is not a key of this account; left alone"
    else:
        found.targets.append(target)
        if bound is Bound.UNDECIDED:
            found.undecided.append(target)


def with_remarks(
    notes: Mapping[str, str], targets: Iterable[Target], policy: Policy
) -> Mapping[str, str]:
    """Return the notes with what is wrong with the targets' own settings."""
    found = {
        str(target.id): (*remarks(target.enrolment, policy), *unknown_consumers(target, policy))
        for target in targets
    }
    said = {name: (*filter(None, (notes.get(name),)), *more) for name, more in found.items()}
    return {**notes, **{name: "; ".join(texts) for name, texts in said.items() if texts}}


def _leaving(c: Context, s: SecretSnapshot, member: Member, tagged: bool) -> Member:
    """Note when a member leaves: its address was removed from a version that had it.

    A new version without the address does not make a member leave.
    """
    if tagged:
        return replace(member, leaves_at=None)
    seen = c.record.seen.get(str(s.id))
    same = seen is not None and seen.version == s.version and seen.tagged
    removed = same and not _has_address(s.tags)
    if not removed or member.leaves_at:
        return member
    return replace(member, leaves_at=c.now + c.overlap)


def _target(c: Context, s: SecretSnapshot, tagged: bool) -> Target:
    theirs: Mapping[str, str] = s.tags if tagged else {**(s.former_tags or {}), **s.tags}
    return Target(
        id=s.id,
        version=s.version,
        value=s.value,
        created=s.created,
        expires=s.expires,
        content_type=s.content_type,
        tags=theirs,
        enrolment=_enrolment(c.account, theirs),
        tagged=tagged,
    )


def _enrolment(account: AccountId, theirs: Mapping[str, str]) -> Enrolment:
    try:
        return tags.read(theirs) or Enrolment(account)
    except ValueError as exc:
        return Enrolment(account, problems=(str(exc),))


def _is_foreign(c: Context, target: Target) -> bool:
    """Return whether the value is foreign: never overwritten, sent anywhere or fingerprinted."""
    if target.value is None:
        return _was_foreign(c, target)
    if _shows_key(target.value, c.keys):
        return False
    if not has_key_shape(target.value, c.keys):
        return True
    return not target.tagged and target.value.fingerprint(c.record.salt) not in c.record.former


def _was_foreign(c: Context, target: Target) -> bool:
    """Return whether a disabled secret held a foreign value when it was last read.

    Its versions are listed in no order, and two of one second cannot be told apart.
    """
    seen = c.record.seen.get(str(target.id))
    if seen is None or not seen.foreign:
        return False
    not_newer = seen.since is not None and target.created <= seen.since
    return seen.version == target.version or not_newer


def _shows_key(value: Key | None, keys: Keys) -> bool:
    return value is not None and keys.slot_of(Key(value.reveal().strip())) is not None


def _has_address(theirs: Mapping[str, str]) -> bool:
    return any(name.strip().lower() == tags.PROVIDER_ADDRESS.lower() for name in theirs)
