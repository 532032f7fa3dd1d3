"""Leaked values of an account: which slots and secrets show them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain import emergency
from ..domain.emergency import Emergency, Pin
from ..domain.keys import Key, Keys, Slot
from ..domain.operation import AuditEntry, Operation, Phase, Purpose
from ..domain.record import Record
from ..domain.request import Leaked, RequestKind
from ..domain.targets import Target
from .facts import Facts

# A writer who showed a key so soon before an emergency may have it from the leak.
SUSPICIOUS = timedelta(hours=24)

_PINNED_LATE = "the first listing of the keys since then tells which value leaked"


def named(record: Record) -> tuple[str, ...]:
    """Return the ids of the emergencies that a record names."""
    operation = record.operation
    waiting = [w.id for w in record.requests if w.kind is RequestKind.EMERGENCY]
    if operation is None or operation.purpose is not Purpose.EMERGENCY:
        return tuple(waiting)
    return (*waiting, operation.id, *operation.requests)


def adopted(record: Record, known: Iterable[str], salt: str) -> list[Emergency]:
    """Return documents for what an earlier version recorded without one.

    A request is pinned by the next listing of the keys; an operation by what the
    record holds.
    """
    ids = {*known}
    asked = [w for w in record.requests if w.kind is RequestKind.EMERGENCY and w.id not in ids]
    found = [emergency.from_request(record.account, w, salt) for w in asked]
    operation = record.operation
    if operation is None or operation.purpose is not Purpose.EMERGENCY:
        return found
    if ids.isdisjoint({operation.id, *operation.requests}):
        found.append(_under_way(record, operation))
    return found


def _under_way(record: Record, operation: Operation) -> Emergency:
    leaked = {operation.leaked.slot} if operation.leaked.slot else {*Slot}
    pins = []
    if operation.revoke and operation.retired:
        pins.append(Pin(operation.revoke, operation.retired))
    old = record.known_keys.get(operation.candidate)
    if old and record.phase is Phase.REGENERATE and operation.candidate in leaked:
        pins.append(Pin(operation.candidate, old))
    return Emergency(
        id=operation.id,
        account=record.account,
        salt=record.salt,
        leaked=operation.leaked,
        reason=operation.reason,
        requester=operation.requester,
        at=operation.asked_at or operation.started_at,
        overlap=operation.overlap,
        role=operation.role,
        request_id=operation.request_id,
        idempotency_key=next(iter(operation.idempotency_keys), None),
        pins=tuple(pins),
        begun_at=operation.started_at,
    )


def looked_at(found: Emergency, record: Record, keys: Keys, now: datetime) -> Emergency:
    """Return an open emergency with what this listing of the keys shows."""
    made = _made(record, keys)
    intent = record.intent
    ours = made if intent and intent.issued_at >= found.at else frozenset()
    unpinned = not found.pins
    found = emergency.pinned(found, keys, now, ours)
    if unpinned and found.pins:
        found = replace(found, audit=(*found.audit, AuditEntry(now, _PINNED_LATE)))
    answered = made if intent and intent.answered else frozenset()
    found = emergency.observed(found, keys, now, answered)
    begun = found.begun_at or (now if found.pins and not found.is_stale(now) else None)
    return replace(found, begun_at=begun)


def _made(record: Record, keys: Keys) -> frozenset[Slot]:
    """Return the slot whose value our last regenerate has replaced, if that was seen just now."""
    intent = record.intent
    if intent is None or keys[intent.slot].fingerprint(record.salt) == intent.before:
        return frozenset()
    return frozenset({intent.slot})


def withheld(f: Facts) -> Facts:
    """Withhold the new key from secrets that were admitted because they showed the leaked one.

    They count as withdrawn: a person must name them first. If every secret is that new, so is the
    enrolment, and none is suspect.
    """
    if not f.emergencies:
        return f
    since = min(e.at for e in f.emergencies) - SUSPICIOUS
    suspects = tuple(t for t in f.targets if _is_suspect(f, t, since))
    if all(m.since > since for m in f.record.members.values()):
        return f
    note = "showed the key shortly before it was reported as leaked; enrol it again to trust it"
    notes = {**f.record.notes, **{str(t.id): note for t in suspects}}
    return replace(
        f,
        record=replace(f.record, notes=notes),
        targets=tuple(t for t in f.targets if t not in suspects),
        withdrawn=(*f.withdrawn, *suspects),
    )


def _is_suspect(f: Facts, target: Target, since: datetime) -> bool:
    member = f.record.members.get(str(target.id))
    named = any(e.secret == str(target.id) for e in f.emergencies)
    return member is not None and member.shown and member.since > since and not named


def asked(f: Facts) -> Facts:
    """Return the facts in which the record names exactly the emergencies that are open.

    A record that was lost, restored or edited does not decide which those are.
    """
    known = {e.id: e for e in f.emergencies}
    kept = [
        w
        for w in f.record.requests
        if w.kind is not RequestKind.EMERGENCY or w.id not in known or known[w.id].is_open
    ]
    present = {*named(f.record)}
    missing = [e.asking() for e in f.leaks if e.id not in present]
    requests = (*kept, *missing)
    if requests == f.record.requests:
        return f
    return replace(f, record=replace(f.record, requests=requests))


def leaked_slots(f: Facts) -> frozenset[Slot]:
    """Return the slots that show a leaked value.

    A request without a document counts by the slot that it names.
    """
    shown = frozenset[Slot]().union(*(e.shown_by(f.keys) for e in f.leaks))
    return shown.union(*map(_slots, _undocumented(f)))


def _undocumented(f: Facts) -> list[Leaked]:
    known = {e.id for e in f.emergencies}
    requests = f.record.requests
    return [w.leaked for w in requests if w.kind is RequestKind.EMERGENCY and w.id not in known]


def _slots(leaked: Leaked) -> frozenset[Slot]:
    return frozenset({leaked.slot}) if leaked.slot else frozenset(Slot)


def holds(f: Facts, value: Key | None) -> bool:
    """Return whether a value is a leaked one."""
    return value is not None and any(e.holds(value) for e in f.emergencies)


def concerning(f: Facts) -> tuple[Emergency, ...]:
    """Return the emergencies of the running operation, open or not."""
    operation = f.record.operation
    ids = {operation.id, *operation.requests} if operation else set()
    return tuple(e for e in f.emergencies if e.id in ids or e in f.leaks)


def prepared(f: Facts, found: Iterable[Emergency], salt: str) -> Facts:
    """Return the facts with the account's emergencies, as this listing of the keys shows them.

    ``salt`` is for documents that are missing.
    """
    known = tuple(found)
    missing = adopted(f.record, (e.id for e in known), salt)
    seen = tuple(
        looked_at(e, f.record, f.keys, f.now) if e.is_open else e for e in (*known, *missing)
    )
    return withheld(replace(f, emergencies=seen))
