"""Regenerates a key: reconcile any earlier regenerate, check the guards, store the intent."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from ..domain.keys import Slot
from ..domain.legacy import REGENERATE
from ..domain.operation import Intent, Phase, Purpose
from . import guards
from .actions import Action, ActionKind, block, enter, retry_later
from .facts import Facts
from .lifecycle import without_intent
from .patience import LOOK, held

Guard = Callable[[Facts, Slot], Action | None]


def send(f: Facts, slot: Slot, following: Phase, guard: Guard = guards.before_regenerate) -> Action:
    """Return the action that regenerates ``slot``, or that follows an earlier regenerate of it.

    ``guard`` returns why it must not be regenerated now, or None.
    """
    intent = f.record.intent
    if intent is not None and intent.slot is slot and f.fingerprint(slot) != intent.before:
        adopted = replace(f.operation, value=f.fingerprint(f.operation.candidate))
        known = f if f.is_unlisted else without_intent(f)
        return enter(known, following, f"{slot} has a new value", adopted)
    if intent is not None and intent.slot is slot and intent.answered:
        return not_listed(f, slot)
    f = without_intent(f)
    refusal = guard(f, slot)
    if refusal is not None:
        return refusal
    recent = (*f.recent(f.record.regenerated), f.now)
    name = f"{f.operation.id}-{slot}-{f.now.timestamp():.6f}-{len(recent)}"
    issued = Intent(name, slot, f.fingerprint(slot), f.now)
    operation = replace(f.operation, regenerated_at=f.now).noting(f.now, f"{REGENERATE}{slot}")
    record = replace(f.record, intent=issued, regenerated=recent, operation=operation)
    return Action(ActionKind.SEND, f"regenerate {slot}", record, slot=slot)


def not_listed(f: Facts, slot: Slot) -> Action:
    """Wait for a while, then block: ARM accepted the regenerate but still lists the old key."""
    reason = f"{slot} was regenerated, but ARM still lists the old key"
    if f.operation.purpose is Purpose.EMERGENCY:
        remedy = "it is looked at again automatically; check the account's activity log"
        return held(f, reason, f.now + LOOK, remedy)
    if f.now - f.operation.phase_since > f.policy.patience:
        remedy = "check the account's activity log, then resume or abandon this rotation"
        return block(f, "no-effect", reason, remedy)
    return retry_later(f, reason)
