"""Fingerprints of an account's present and former keys in its record, and births."""

from __future__ import annotations

from msgspec.structs import replace

from ..domain.keys import Keys, Slot
from ..domain.record import Record
from . import births

FORMER = 8


def noted(record: Record, keys: Keys) -> Record:
    """Return the record with the fingerprints of ``keys``; replaced ones become former."""
    shown = {slot: keys[slot].fingerprint(record.salt) for slot in Slot}
    gone = [old for slot, old in record.known_keys.items() if shown[slot] != old]
    record = replace(record, births=births.of_record(record, shown))
    if shown == record.known_keys:
        return record
    former = [old for old in (*record.former, *gone) if old not in shown.values()]
    return replace(record, known_keys=shown, former=tuple(dict.fromkeys(former))[-FORMER:])
