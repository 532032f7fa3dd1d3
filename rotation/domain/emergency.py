"""An emergency: the leaked values that must be revoked, in a separate document.

It is about values, not slots. It keeps its own salt and a fingerprint of each leaked value (a
*pin*), so that a lost, restored or edited record can neither forget it nor end it. It is over when
every pinned value was refused, or is gone and can no longer be tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from .ids import AccountId
from .keys import Key, Keys, Slot
from .operation import AuditEntry
from .request import Leaked, Request, RequestKind

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
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"


class Pin(Struct, frozen=True):
    """One leaked value, by its fingerprint under the emergency's salt.

    ``gone_at`` is the first reading in which no slot showed it any longer; ``gone`` says that this
    is certain: read again ten minutes later, or our own regenerate was answered.
    """

    slot: Slot
    fingerprint: str
    gone_at: datetime | None = None
    gone: bool = False
    refused_at: datetime | None = None


class Emergency(Struct, frozen=True):
    """One emergency. Times are Azure's.

    ``secret`` is the one that the person named. ``provisional``: the pins come from the account's
    record, because ARM could not be asked. ``begun_at`` is when the first step acted on it, or a
    person confirmed it. ``why`` and ``remedy`` say why the leaked key is not revoked yet;
    ``look_at`` is when to look again; ``proof_at``, if set, is the earliest time to prove that a
    regenerated key is refused, because others are regenerated first. ``bulk``: it was requested
    for several accounts at once; then ``blind`` says to go on although no secret can be read.
    ``intent`` is the id of the last regenerate that was decided for it: from then on it is too late
    to cancel.
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
    secret: str | None = None
    idempotency_key: str | None = None
    pins: tuple[Pin, ...] = ()
    provisional: bool = False
    begun_at: datetime | None = None
    impatient: bool = False
    forced: bool = False
    bulk: bool = False
    blind: bool = False
    intent: str | None = None
    why: str = ""
    remedy: str = ""
    look_at: datetime | None = None
    proof_at: datetime | None = None
    closed_at: datetime | None = None
    verdict: Verdict = Verdict.OPEN
    audit: tuple[AuditEntry, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.verdict is Verdict.OPEN

    def shown_by(self, keys: Keys) -> frozenset[Slot]:
        """Return the slots that still show a pinned value, whichever slot it was pinned in."""
        return frozenset(slot for slot in Slot if self.holds(keys[slot]))

    def holds(self, key: Key) -> bool:
        """Return whether a value is one of the leaked ones."""
        return any(pin.fingerprint == key.fingerprint(self.salt) for pin in self.pins)

    def value_of(self, pin: Pin, values: Iterable[Key]) -> Key | None:
        """Return the value of a pin, if it is among ``values``."""
        return next((v for v in values if v.fingerprint(self.salt) == pin.fingerprint), None)

    def is_stale(self, now: datetime) -> bool:
        """Return whether it was accepted long ago and has not begun: a person must confirm it."""
        return self.begun_at is None and now - self.at > STALE

    def asking(self) -> Request:
        """Return the request as it stands in the account's record."""
        return Request(
            id=self.id,
            kind=RequestKind.EMERGENCY,
            reason=self.reason,
            requester=self.requester,
            at=self.at,
            leaked=self.leaked,
            overlap=self.overlap,
            idempotency_key=self.idempotency_key,
            role=self.role,
            request_id=self.request_id,
            secret=self.secret,
        )


def from_request(account: AccountId, request: Request, salt: str) -> Emergency:
    """Return the emergency that a request asks for; nothing is pinned yet."""
    return Emergency(
        id=request.id,
        account=account,
        salt=salt,
        leaked=request.leaked,
        reason=request.reason,
        requester=request.requester,
        at=request.at,
        overlap=request.overlap,
        role=request.role,
        request_id=request.request_id,
        secret=request.secret,
        idempotency_key=request.idempotency_key,
    )


def pinned(emergency: Emergency, keys: Keys, now: datetime, ours: Iterable[Slot] = ()) -> Emergency:
    """Pin what ``keys`` show, if nothing is pinned or the pins are provisional.

    ``ours`` are the slots whose present value we made after acceptance. A provisional pin stays:
    then both values count, and each must be refused.
    """
    if emergency.is_stale(now) or (emergency.pins and not emergency.provisional):
        return emergency
    wanted = {emergency.leaked.slot} if emergency.leaked.slot else {*Slot}
    known = {pin.fingerprint for pin in emergency.pins}
    shown = [
        Pin(slot, keys[slot].fingerprint(emergency.salt))
        for slot in Slot
        if slot in wanted - {*ours}
    ]
    more = tuple(pin for pin in shown if pin.fingerprint not in known)
    return replace(emergency, pins=(*emergency.pins, *more), provisional=False)


def observed(
    emergency: Emergency, keys: Keys, now: datetime, answered: Iterable[Slot] = ()
) -> Emergency:
    """Note which pinned values are gone. ``answered``: slots whose regenerate ARM confirmed."""
    shown = {key.fingerprint(emergency.salt) for key in (keys.key1, keys.key2)}
    confirmed = {*answered}
    pins = tuple(
        _looked_at(pin, now, shown=pin.fingerprint in shown, confirmed=pin.slot in confirmed)
        for pin in emergency.pins
    )
    return replace(emergency, pins=pins)


def _looked_at(pin: Pin, now: datetime, *, shown: bool, confirmed: bool) -> Pin:
    if shown:
        return replace(pin, gone_at=None, gone=False)
    since = pin.gone_at or now
    return replace(pin, gone_at=since, gone=pin.gone or confirmed or now - since >= APART)


def refused(emergency: Emergency, key: Key, now: datetime) -> Emergency:
    """Note that a leaked value was refused when used; one that ARM still shows is not counted."""
    found = key.fingerprint(emergency.salt)
    pins = tuple(
        replace(pin, refused_at=now) if pin.fingerprint == found and pin.gone_at else pin
        for pin in emergency.pins
    )
    return replace(emergency, pins=pins)


def closed(emergency: Emergency, now: datetime, untriable: Iterable[Pin] = ()) -> Emergency:
    """Close it if every pinned value is dead. ``untriable``: pins whose value cannot be tried."""
    if not emergency.is_open or not emergency.pins or emergency.provisional:
        return emergency
    left = [pin for pin in emergency.pins if not pin.refused_at]
    if not left:
        return ended(emergency, Verdict.REFUSED, now)
    lost = {pin.fingerprint for pin in untriable}
    if all(pin.gone and pin.fingerprint in lost for pin in left):
        return ended(emergency, Verdict.NOT_PROVEN, now)
    return emergency


def committed(emergency: Emergency, intent: str) -> Emergency:
    """Note a regenerate that is about to be sent, which is stored first."""
    return replace(emergency, intent=intent) if emergency.is_open else emergency


def ended(emergency: Emergency, verdict: Verdict, now: datetime, note: str = "") -> Emergency:
    """Close it with a verdict. ``note`` says who did it, and why."""
    audit = (*emergency.audit, AuditEntry(now, note)) if note else emergency.audit
    return replace(
        emergency, verdict=verdict, closed_at=now, why="", remedy="", look_at=None, audit=audit
    )
