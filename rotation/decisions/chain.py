"""facts → action. The order of the checks is the policy; each is a small pure function."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from ..domain.record import Ending, Phase, Purpose, Wish, WishKind
from . import emergency, idle, revocation
from . import rollout as flight
from . import schedule as due
from .actions import Action, Kind, held, move
from .facts import Facts
from .lifecycle import cancellable, end

_PHASES: dict[Phase, Callable[[Facts], Action]] = {
    Phase.IDLE: idle.decide,
    Phase.REGENERATE: flight.regenerate,
    Phase.VERIFY: flight.verify,
    Phase.PUBLISH: flight.publish,
    Phase.OVERLAP: flight.overlap,
    Phase.REVOKE: revocation.revoke,
    Phase.PROVE: revocation.prove,
    Phase.CLEAN: revocation.clean,
}


def decide(f: Facts) -> Action:
    """The one next action for an account. Pure: the same facts give the same action."""
    f = _without_stale(f)
    return (
        _answered(f)
        or emergency.decide(f)
        or _stopped(f)
        or _unenrolled(f)
        or _coalesce(f)
        or _PHASES[f.record.phase](f)
    )


def _without_stale(f: Facts) -> Facts:
    """Events for versions that are no longer the latest are acknowledged and dropped."""
    wishes = f.record.wishes
    kept = tuple(w for w in wishes if w.kind is not WishKind.EXPIRY or due.stands(f, w))
    if len(kept) == len(wishes):
        return f
    return replace(f, record=replace(f.record, wishes=kept))


def _answered(f: Facts) -> Action | None:
    """A person said what is to become of a stopped operation."""
    wish = f.record.answer
    if wish is None:
        return None
    rest = tuple(w for w in f.record.wishes if w.id != wish.id)
    f = replace(f, record=replace(f.record, wishes=rest, blocked=None, trouble=None))
    if f.record.operation is None:
        return Action(Kind.MOVE, f"there is nothing to {wish.kind}", f.record)
    if wish.kind is WishKind.CANCEL:
        return _cancelled(f, wish)
    if wish.kind is WishKind.ABANDON:
        ending = Ending.ABANDONED
        return end(f, f"{ending} by {wish.requester}: {wish.reason}", ending)
    again = replace(f.operation, overwritten=0)
    return move(f, f.record.phase, f"resumed by {wish.requester}: {wish.reason}", again)


def _cancelled(f: Facts, wish: Wish) -> Action:
    if cancellable(f.record):
        ending = Ending.CANCELLED
        return end(f, f"{ending} by {wish.requester}: {wish.reason}", ending)
    return Action(Kind.MOVE, "too late to cancel", f.record)


def _stopped(f: Facts) -> Action | None:
    blocked = f.record.blocked
    return held(f, f"{blocked.message}; {blocked.remedy}") if blocked else None


def _unenrolled(f: Facts) -> Action | None:
    if f.targets or f.record.operation is None:
        return None
    return end(f, "no secret is enrolled for this account any more", Ending.UNENROLLED)


def _coalesce(f: Facts) -> Action | None:
    """What is under way already fulfils requests for a rotation that came in meanwhile."""
    operation = f.record.operation
    if operation is None or operation.purpose not in (Purpose.ROTATE, Purpose.EMERGENCY):
        return None
    joined = tuple(w for w in f.record.wishes if _is_fulfilled(w))
    if not joined:
        return None
    keys = tuple(w.idempotency_key for w in joined if w.idempotency_key)
    operation = replace(
        operation,
        wishes=(*operation.wishes, *(w.id for w in joined if w.id not in operation.wishes)),
        idempotency_keys=(*operation.idempotency_keys, *keys),
    )
    rest = tuple(w for w in f.record.wishes if w not in joined)
    record = replace(f.record, operation=operation, wishes=rest)
    return Action(Kind.MOVE, "joined the operation under way", record)


def _is_fulfilled(wish: Wish) -> bool:
    return wish.kind in (WishKind.MANUAL, WishKind.EXPIRY)
