"""The phases PROVE and CLEAN of an emergency: each leaked value is refused, or cannot be tried."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..domain import emergency, legacy
from ..domain.emergency import APART, Emergency, Pin, Verdict
from ..domain.keys import Key, Slot
from ..domain.operation import Intent, Phase, Purpose
from ..domain.policy import ProbePolicy
from ..domain.probing import ProbeResult
from ..domain.record import Record
from . import leaks, revocation
from .actions import Action, ActionKind, MissingFacts, enter, needs, wait
from .facts import Facts
from .lifecycle import end
from .notifications import notify
from .patience import LOOK, LOOK_LATER, held
from .progress import event_data

SOON = timedelta(minutes=10)

_WAIT = "it is tried again automatically; check the account's activity log"

_TOKEN_KINDS = frozenset({"speechservices", "texttranslation", "cognitiveservices", "aiservices"})

_TOKENS = "; access tokens that were issued for it stay valid for up to 10 minutes"

Values = dict[tuple[str, Pin], Key | None]


PUT_OFF = (
    "ARM confirmed that the leaked key was regenerated; that it is refused is not proven before "
    "the leaked keys of other accounts are regenerated too"
)

# No proof is put off longer than this after the report. The regenerates of one subscription's 2,000
# accounts fit.
PUT_OFF_FOR = timedelta(minutes=20)


def put_off(record: Record, found: Iterable[Emergency], now: datetime) -> datetime | None:
    """Return until when the proof of a confirmed regenerate waits; None if it does not.

    It waits only if nothing else is left to do: the regenerate was sent for every open emergency,
    nobody asked for anything since, and every secret showed the successor. Until then nothing is
    read, so a secret that changes in the meantime is repaired later. A leaked value that was never
    published is known to this process only: if it ends first, the proof is "not proven".
    """
    times = [_proof_at(e, record.intent) for e in found if e.is_open]
    until = min(filter(None, times), default=now)
    return until if None not in times and until > now and _only_unproven(record) else None


def _proof_at(found: Emergency, intent: Intent | None) -> datetime | None:
    """Return when its turn comes; None if the regenerate leaves one of its values alive."""
    if intent is None or found.intent != intent.id or found.proof_at is None:
        return None
    if not all(pin.gone_at or pin.slot is intent.slot for pin in found.pins):
        return None
    return min(found.proof_at, found.at + PUT_OFF_FOR)


def _only_unproven(record: Record) -> bool:
    """Return whether only the proof of an emergency's answered regenerate is left to do."""
    intent, operation = record.intent, record.operation
    if record.phase is not Phase.REVOKE or operation is None or intent is None or record.requests:
        return False
    if operation.purpose is not Purpose.EMERGENCY or intent.slot is not operation.revoke:
        return False
    shown = {name: version.fingerprint for name, version in record.seen.items()}
    members = [name for name, member in record.members.items() if not member.withdrawn]
    return intent.answered and all(shown.get(name) == operation.value for name in members)


def prove(f: Facts) -> Action:
    """Try every leaked value until it is refused. This waits for no target."""
    mine = leaks.concerning(f)
    if not mine:
        return revocation.prove(f)
    pins = [(e, pin) for e in mine if e.is_open for pin in e.pins if not pin.refused_at]
    if any(not pin.gone_at for _, pin in pins):
        return held(f, "ARM still lists the leaked key", f.now + LOOK, _WAIT)
    values: Values = {(e.id, pin): e.value_of(pin, _known(f)) for e, pin in pins}
    if None in values.values() and f.versions is None:
        return needs(f, "what were the leaked keys?", MissingFacts(versions=True))
    tried = (*filter(None, values.values()), *_controls(f))
    if any(values.values()) and any(key not in f.verdicts for key in tried):
        reason = "are the leaked keys refused and the new ones accepted?"
        return needs(f, reason, MissingFacts(probe=tried))
    return _judged(f, mine, values)


def _known(f: Facts) -> tuple[Key, ...]:
    return (*f.cached_keys, *(v.value for v in f.known_versions if v.value))


def _controls(f: Facts) -> tuple[Key, ...]:
    """Return the current keys: one must be accepted by the same call that refuses a leaked one."""
    return tuple(f.keys[slot] for slot in Slot if not leaks.holds(f, f.keys[slot]))


def _judged(f: Facts, mine: tuple[Emergency, ...], values: Values) -> Action:
    untriable = {pin for (_, pin), value in values.items() if _is_untriable(f, value)}
    alive = _not_refused(f, [v for (_, pin), v in values.items() if v and pin not in untriable])
    if alive:
        again = LOOK if f.now - f.operation.phase_since < SOON else LOOK_LATER
        restarted = replace(f.operation, successes=0)
        f = _alarmed(replace(f, record=replace(f.record, operation=restarted)), alive)
        return held(f, alive, f.now + again, _WAIT)
    refused = [v for (_, pin), v in values.items() if v and pin not in untriable]
    if refused and f.operation.successes + 1 < f.policy.probe_successes:
        return _once_more(f)
    closed = tuple(_closed(f, e, refused, untriable) for e in mine)
    if any(e.is_open for e in closed):
        reason = "that the leaked key is gone must be read once more, ten minutes later"
        found = held(f, reason, _certain_at(f, closed), "it is read again automatically")
        return dataclasses.replace(found, emergencies=closed)
    return dataclasses.replace(_done(f, closed), emergencies=closed)


def _is_untriable(f: Facts, value: Key | None) -> bool:
    """Return whether a value cannot be tried: it is unknown, or no probe can tell."""
    if value is None:
        return True
    patient = f.policy.probe is not ProbePolicy.ACCEPT
    if patient and f.now - f.operation.phase_since < f.policy.patience:
        return False
    return not _proves(f) or f.verdicts[value].result is ProbeResult.INCONCLUSIVE


def _proves(f: Facts) -> bool:
    """Return whether the same call accepts a current key, so that a refusal means something."""
    return any(f.accepted(key) for key in _controls(f))


def _not_refused(f: Facts, values: list[Key]) -> str:
    """Return a reason if a value is not proven to be refused, or an empty string."""
    for value in values:
        verdict = f.verdicts[value]
        if verdict.result is not ProbeResult.REFUSED:
            return f"the leaked key is not refused yet: {verdict.result}, {verdict.detail}"
    if values and not _proves(f):
        return "the probe proves nothing: it accepts no current key of the account"
    return ""


def _alarmed(f: Facts, reason: str) -> Facts:
    """Notify once if the key is still accepted after a while."""
    operation = f.operation
    if operation.alarmed or f.now - operation.phase_since <= f.policy.emergency_patience:
        return f
    record = notify(f.record, f, "failed", event_data(f, error=reason, of="old-key-alive"))
    return replace(f, record=replace(record, operation=replace(operation, alarmed=True)))


def _once_more(f: Facts) -> Action:
    refused = replace(f.operation, successes=f.operation.successes + 1)
    needed = f.policy.probe_successes
    until = f.now + f.policy.probe_span / (needed - 1)
    reason = f"the leaked key was refused {refused.successes} of {needed} times"
    return wait(f, reason, until, replace(f.record, operation=refused))


def _closed(f: Facts, found: Emergency, refused: list[Key], untriable: set[Pin]) -> Emergency:
    if not found.is_open:
        return found
    for value in refused:
        found = emergency.refused(found, value, f.now)
    return emergency.closed(found, f.now, untriable)


def _certain_at(f: Facts, found: Iterable[Emergency]) -> datetime:
    moments = [p.gone_at + APART for e in found if e.is_open for p in e.pins if p.gone_at]
    return max([*moments, f.now + LOOK])


def _done(f: Facts, mine: tuple[Emergency, ...]) -> Action:
    """Go on to CLEAN, with the weakest of the verdicts."""
    slot = f.operation.candidate.other
    if all(e.verdict is Verdict.REFUSED for e in mine):
        data = event_data(f, slot=slot.value, proof=legacy.REFUSED)
        proven = replace(f.operation, proof=legacy.REFUSED, proven=True)
        record = notify(f.record, f, "revoked", data)
        return enter(replace(f, record=record), Phase.CLEAN, legacy.REFUSED, proven)
    proof = f"{legacy.NOT_PROVEN}: the leaked key cannot be tried any longer"
    record = notify(f.record, f, "notProven", event_data(f, slot=slot.value, proof=proof))
    unproven = replace(f.operation, proof=proof)
    return enter(replace(f, record=record), Phase.CLEAN, proof, unproven)


def clean(f: Facts) -> Action:
    """Disable old versions, once; then end with what was proven."""
    if f.versions is None:
        return needs(f, "which versions hold old keys?", MissingFacts(versions=True))
    stale = revocation.stale_versions(f)
    if stale and f.record.failures < 3:
        reason = f"disable {len(stale)} versions with old keys"
        return Action(ActionKind.DISABLE, reason, f.record, versions=stale)
    return end(f, (f.operation.proof or "clean") + _tokens(f))


def _tokens(f: Facts) -> str:
    """Return what is left of a key of a kind that exchanges keys for access tokens."""
    return _TOKENS if f.account.kind.lower() in _TOKEN_KINDS else ""
