"""An emergency: the leaked values that must be revoked, in a separate document.

It is about values, not slots. It keeps its own salt and a fingerprint of each leaked value (a
*pin*), so that a lost, restored or edited record can neither forget it nor end it. It is over when
every pinned value was refused, or is gone and can no longer be tried.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from .bindings import Entry
from .ids import AccountId
from .keys import Key, Keys, Slot
from .request import Leaked

FORMAT = 1

# Two reads this far apart show that a value is gone, if our own regenerate was not answered.
APART = timedelta(minutes=10)

# A document that has not begun after this time was probably restored: a person decides.
STALE = timedelta(hours=24)


class Verdict(StrEnum):
    """The state of an emergency. Only ``REFUSED`` means "revoked"."""

    OPEN = "open"
    REFUSED = "refused"
    NOT_PROVEN = "not-proven"


class Pin(Struct, frozen=True):
    """One leaked value, by its fingerprint under the emergency's salt.

    ``gone_at`` is the first reading in which its slot no longer showed it; ``gone`` says that this
    is certain: read again ten minutes later, or our own regenerate was answered.
    """

    slot: Slot
    fingerprint: str
    gone_at: datetime | None = None
    gone: bool = False
    refused_at: datetime | None = None


class Emergency(Struct, frozen=True):
    """One emergency. Times are Azure's.

    ``provisional``: the pins come from the account's record, because ARM could not be asked.
    ``begun_at``: when the first step acted on it. ``why`` and ``remedy`` say why the leaked key
    is not revoked yet.
    """

    id: str
    account: AccountId
    salt: str
    leaked: Leaked
    reason: str
    requester: str
    at: datetime
    format: int = FORMAT
    overlap: timedelta | None = None
    role: str | None = None
    request_id: str | None = None
    idempotency: str | None = None
    batch: str | None = None
    pins: tuple[Pin, ...] = ()
    provisional: bool = False
    begun_at: datetime | None = None
    impatient: bool = False
    forced: bool = False
    blind: bool = False
    why: str = ""
    remedy: str = ""
    closed_at: datetime | None = None
    verdict: Verdict = Verdict.OPEN
    audit: tuple[Entry, ...] = field(default_factory=tuple)

    def shown_by(self, keys: Keys) -> frozenset[Slot]:
        """Return the slots that show a pinned value, even if it was pinned in the other slot."""
        pinned = {pin.fingerprint for pin in self.pins}
        return frozenset(slot for slot in Slot if keys[slot].fingerprint(self.salt) in pinned)

    def holds(self, key: Key) -> bool:
        """Return whether a value is one of the leaked ones."""
        return any(pin.fingerprint == key.fingerprint(self.salt) for pin in self.pins)

    @property
    def is_open(self) -> bool:
        return self.verdict is Verdict.OPEN


def pinned(emergency: Emergency, keys: Keys, now: datetime, *, ours: frozenset[str]) -> Emergency:
    """Pin what ``keys`` show, if nothing is pinned or the pins are provisional.

    ``ours`` are fingerprints, under the emergency's salt, of values that we made after acceptance.
    A provisional pin stays: then every value counts, and each must be refused.
    """
    if emergency.pins and not emergency.provisional:
        return emergency
    if not emergency.pins and now - emergency.at > STALE:
        return emergency
    wanted = [emergency.leaked.slot] if emergency.leaked.slot else list(Slot)
    shown = [Pin(slot, keys[slot].fingerprint(emergency.salt)) for slot in wanted]
    known = {pin.fingerprint for pin in emergency.pins} | ours
    more = tuple(pin for pin in shown if pin.fingerprint not in known)
    return replace(emergency, pins=(*emergency.pins, *more), provisional=False)


def observed(
    emergency: Emergency, keys: Keys, now: datetime, answered: frozenset[Slot]
) -> Emergency:
    """Note which pinned values are gone. ``answered``: slots whose regenerate ARM confirmed."""
    shown = {keys[slot].fingerprint(emergency.salt) for slot in Slot}
    pins = tuple(_looked_at(pin, pin.fingerprint in shown, now, answered) for pin in emergency.pins)
    return replace(emergency, pins=pins)


def _looked_at(pin: Pin, shown: bool, now: datetime, answered: frozenset[Slot]) -> Pin:
    if shown:
        return replace(pin, gone_at=None, gone=False)
    since = pin.gone_at or now
    certain = pin.gone or pin.slot in answered or now - since >= APART
    return replace(pin, gone_at=since, gone=certain)


def refused(emergency: Emergency, key: Key, now: datetime) -> Emergency:
    """Note that the probe of a leaked value was refused."""
    found = key.fingerprint(emergency.salt)
    pins = tuple(
        replace(pin, refused_at=now) if pin.fingerprint == found and pin.gone_at else pin
        for pin in emergency.pins
    )
    return replace(emergency, pins=pins)


def closed(emergency: Emergency, now: datetime, *, triable: bool) -> Emergency:
    """Close it if every pinned value is dead. ``triable``: a leaked value can still be tried."""
    if not emergency.is_open or not emergency.pins:
        return emergency
    if all(pin.refused_at for pin in emergency.pins):
        return replace(emergency, verdict=Verdict.REFUSED, closed_at=now, why="", remedy="")
    if not triable and all(pin.refused_at or pin.gone for pin in emergency.pins):
        return replace(emergency, verdict=Verdict.NOT_PROVEN, closed_at=now)
    return emergency
