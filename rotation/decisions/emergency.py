"""A leaked key: the same machine with other parameters, planned anew from what is true now.

It takes over whatever is under way. The overlap is nought unless asked for otherwise, so
consumers of the leaked key fail until they read the secret again; that is the purpose.
"""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

from msgspec.structs import replace

from ..domain import legacy
from ..domain.model import Slot
from ..domain.record import Leaked, Operation, Phase, Purpose, Wish, WishKind
from .actions import Action, Kind, Question, ask
from .facts import Facts
from .lifecycle import begin, new, overtaken, settled


def decide(f: Facts) -> Action | None:
    """Plan or join the first emergency that waits, or None where there is none."""
    waiting = [w for w in f.record.wishes if w.kind is WishKind.EMERGENCY]
    if not waiting or not f.targets:
        return None
    wish = waiting[0]
    running = f.record.operation
    if running and _covers(running, f.record.phase, wish):
        return _join(f, running, wish)
    wish = replace(wish, leaked=_leaked(f, running, waiting))
    if running and running.purpose is Purpose.REPAIR and wish.leaked is Leaked.UNKNOWN:
        return None
    if f.versions is None:
        return ask(f, "which keys were ever published", Question(versions=True))
    planned = _plan(settled(f), wish)
    if planned is None and f.record.blocked:
        return overtaken(f, "in an emergency the secrets must publish one key first")
    return planned


def _covers(running: Operation, phase: Phase, wish: Wish) -> bool:
    """Whether what is under way kills all that leaked anyway, without an overlap."""
    dies = {running.revoke}
    both = running.leaked is Leaked.UNKNOWN
    if phase is Phase.REGENERATE or (both and phase is Phase.VERIFY):
        dies.add(running.candidate)
    leaked = {wish.leaked.slot} if wish.leaked.slot else {*Slot}
    if running.revoke is None or not leaked <= dies:
        return False
    return phase in (Phase.REVOKE, Phase.PROVE) or running.purpose is Purpose.EMERGENCY


def _leaked(f: Facts, running: Operation | None, waiting: list[Wish]) -> Leaked:
    """All that was reported and still lives: both keys, where reports differ."""
    leaked = reduce(_both, (wish.leaked for wish in waiting))
    if running is None or running.purpose is not Purpose.EMERGENCY or running.revoke is None:
        return leaked
    if f.fingerprint(running.revoke) != running.retired:
        return leaked
    return _both(running.leaked, leaked)


def _both(before: Leaked, now: Leaked) -> Leaked:
    return now if before in (Leaked.NONE, now) else Leaked.UNKNOWN


def _join(f: Facts, running: Operation, wish: Wish) -> Action:
    overlap = min(running.overlap, wish.overlap or timedelta())
    joined = replace(
        running,
        purpose=Purpose.EMERGENCY,
        leaked=_both(running.leaked, wish.leaked),
        overlap=overlap,
        asked_at=wish.at if running.purpose is Purpose.ROTATE else running.asked_at,
        wishes=(*running.wishes, wish.id),
        idempotency_keys=(*running.idempotency_keys, *filter(None, (wish.idempotency_key,))),
    )
    joined = joined.noting(f.now, f"joined by {wish.requester}: {wish.reason}")
    others = tuple(w for w in f.record.wishes if w.id != wish.id)
    record = replace(f.record, operation=joined, wishes=others, blocked=None)
    return Action(Kind.MOVE, "the emergency joins the operation under way", record)


def _plan(f: Facts, wish: Wish) -> Action | None:
    """Which key to publish, which to kill, and where to begin."""
    leaked = wish.leaked.slot or f.live
    if leaked is None:
        return None
    candidate = leaked.other
    if wish.leaked is Leaked.UNKNOWN and f.astray(leaked):
        reason = "the secrets must publish one key before both can be made new"
        repair = replace(new(f, Purpose.REPAIR, leaked, reason, None), successes_needed=1)
        return begin(f, Phase.VERIFY, repair, reason)
    operation = replace(
        _merged(f, wish, candidate),
        revoke=leaked,
        retired=f.fingerprint(leaked),
        overlap=wish.overlap or timedelta(),
    )
    if not f.pending(candidate):
        proven = replace(operation, value=f.fingerprint(candidate))
        return begin(f, Phase.REVOKE, proven, f"the leaked {leaked} is published nowhere")
    if _is_usable(f, wish, candidate):
        direct = replace(operation, successes_needed=1)
        return begin(
            f, Phase.VERIFY, direct, f"{candidate} was never published; publish it at once"
        )
    return begin(f, Phase.REGENERATE, operation, f"{candidate} may be known; make it new first")


def _merged(f: Facts, wish: Wish, candidate: Slot) -> Operation:
    """A new operation, or the one under way turned into an emergency."""
    fresh = new(f, Purpose.EMERGENCY, candidate, wish.reason, wish)
    running = f.record.operation
    if running is None:
        return fresh
    note = f"hardened into an emergency by {wish.requester}: {wish.reason}"
    return replace(
        fresh,
        id=running.id,
        started_at=running.started_at,
        began_in=legacy.began_in(running),
        regenerated_at=running.regenerated_at,
        wishes=(*running.wishes, wish.id),
        idempotency_keys=(*running.idempotency_keys, *fresh.idempotency_keys),
        audit=running.noting(f.now, note).audit,
    )


def _is_usable(f: Facts, wish: Wish, candidate: Slot) -> bool:
    """A key that nobody outside ever got; or the only way out, where a regenerate is forbidden."""
    if wish.leaked is Leaked.UNKNOWN:
        return False
    regenerable = not f.astray(candidate.other) and not f.unseen
    return f.superseded(candidate) is None or not regenerable
