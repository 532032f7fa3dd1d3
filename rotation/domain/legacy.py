"""Reads what earlier versions stored only as text: fallbacks for records without newer members.

An earlier version may also run beside this one during a deployment. It drops members that it does
not know whenever it writes a record. The texts named here are therefore still written.
"""

from __future__ import annotations

from .operation import AUDIT, Ending, Operation, Phase

REGENERATE = "regenerate "  # begins the audit line of a regenerate

REFUSED = "the old key is refused"  # the proof of a revocation

NOT_PROVEN = "regenerated, not proven"  # the proof if nobody could try the old key

_BEGINS = " begins in "  # in the first audit line, followed by the phase


def may_have_regenerated(operation: Operation) -> bool:
    """Return whether a regenerate was sent, or may have been.

    A full audit trail may have lost the line that tells.
    """
    if operation.regenerated_at is not None or len(operation.audit) >= AUDIT:
        return True
    return any(entry.what.startswith(REGENERATE) for entry in operation.audit)


def began_in(operation: Operation) -> Phase | None:
    """Return the phase in which the operation began, or None if unknown."""
    if operation.began_in is not None or not operation.audit:
        return operation.began_in
    words = operation.audit[0].what.partition(_BEGINS)[2]
    return next((phase for phase in Phase if words.startswith(f"{phase}:")), None)


def ending(operation: Operation) -> Ending:
    """Return how an operation that is over ended.

    NOT_PROVEN is never stored as an ending, which earlier versions could not read.
    """
    first = (operation.outcome or "").partition(" ")[0].rstrip(":")
    told = Ending(first) if first in set(Ending) else Ending.DONE
    found = operation.ending or told
    if found is Ending.DONE and operation.proof and not is_proven(operation):
        return Ending.NOT_PROVEN
    return found


def is_proven(operation: Operation) -> bool:
    """Return whether the old key was refused when used."""
    return operation.proven or operation.proof == REFUSED
