"""Fingerprints of an account's keys in its record, their births, and who changed them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain import tags
from ..domain.keys import Keys, Slot
from ..domain.record import ObservedVersion, Record
from ..domain.targets import SecretSnapshot
from . import births

FORMER = 8

# This many changes of a slot by others within this time: somebody else manages the keys too.
CONTESTED, CONTEST = 3, timedelta(days=7)


def noted(record: Record, keys: Keys, now: datetime) -> Record:
    """Return the record with the fingerprints of ``keys``; replaced ones become former."""
    shown = {slot: keys[slot].fingerprint(record.salt) for slot in Slot}
    record = replace(record, births=births.of_record(record, shown))
    if shown == record.known_keys:
        return record
    changed = [slot for slot, old in record.known_keys.items() if shown[slot] != old]
    former = [*record.former, *(record.known_keys[slot] for slot in changed)]
    former = [old for old in dict.fromkeys(former) if old not in shown.values()]
    foreign = record.foreign_changes
    if any(_is_foreign(record, slot, shown[slot], now) for slot in changed):
        foreign = (*foreign, now)[-CONTESTED:]
    return replace(
        record, known_keys=shown, former=tuple(former)[-FORMER:], foreign_changes=foreign
    )


def sighted(record: Record, found: Iterable[SecretSnapshot], now: datetime) -> Record:
    """Return the record with the known keys that its secrets show, if none can be listed now.

    Any other value may be foreign, so that nothing is noted of it.
    """
    known, seen = {*record.known_keys.values()}, dict(record.seen)
    for snapshot in found:
        value = snapshot.value.fingerprint(record.salt) if snapshot.value else ""
        if str(snapshot.id) in record.members and value in known:
            seen[str(snapshot.id)] = _seen(record, snapshot, value, now)
    return replace(record, seen=seen)


def _seen(record: Record, s: SecretSnapshot, value: str, now: datetime) -> ObservedVersion:
    before = record.seen.get(str(s.id))
    if before and (before.version, before.fingerprint) == (s.version, value):
        return before
    return ObservedVersion(s.version, value, now, tags.account_of(s.tags) == record.account)


def is_contested(record: Record, now: datetime) -> bool:
    """Return whether others changed the keys so often that scheduled work must wait."""
    return sum(at > now - CONTEST for at in record.foreign_changes) >= CONTESTED


def _is_foreign(record: Record, slot: Slot, fingerprint: str, now: datetime) -> bool:
    """Return whether somebody else made a new value: not our regenerate, nor a late reading."""
    ours = record.intent is not None and record.intent.slot is slot
    delayed = slot in record.quarantine and now < record.quarantine[slot]
    return not ours and not delayed and fingerprint not in record.former
