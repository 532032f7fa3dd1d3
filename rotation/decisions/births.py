"""The birth of a key: the earliest time at which it is known to have existed. Pure.

It is noted once for each value. Nothing makes it later, so rewriting a secret makes no key younger.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from ..domain.keys import Slot
from ..domain.record import Record
from .facts import Facts


def of_record(record: Record, shown: Mapping[Slot, str]) -> Mapping[str, datetime]:
    """Return the births of the current keys. Our regenerate made the value that follows it.

    ``shown`` are the fingerprints of both keys.
    """
    births = {value: at for value, at in record.births.items() if value in shown.values()}
    intent = record.intent
    if intent is not None and shown[intent.slot] != intent.before:
        births.setdefault(shown[intent.slot], intent.issued_at)
    return births


def is_known(f: Facts) -> bool:
    """Return whether the birth of the key that the secrets publish is noted, if they agree."""
    return f.live is None or f.fingerprint(f.live) in f.record.births


def noted(f: Facts) -> Facts:
    """Note the birth of the published key, from the versions that hold it. Needs ``versions``."""
    if f.live is None or is_known(f):
        return f
    key = f.keys[f.live]
    held = [version.created for version in f.known_versions if version.value == key]
    shown = [target.created for target in f.publishing(f.live) if target.readable]
    births = {**f.record.births, f.fingerprint(f.live): min([*held, *shown, f.now])}
    return replace(f, record=replace(f.record, births=births))


def of(f: Facts, slot: Slot) -> datetime:
    """Return the birth of a slot's key; now if it is not known."""
    return f.record.births.get(f.fingerprint(slot), f.now)
