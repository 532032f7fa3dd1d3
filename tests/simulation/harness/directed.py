"""Plans that aim at one fault each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .plan import Plan, PlannedEvent
from .plan_runner import run_plan
from .world import START

MINUTE, HOUR = 60, 3600
DAY = 24 * HOUR
CALM = Plan(0, due=False, latency=0.0)
BROAD = replace(CALM, neighbours=True, broad=True)


def emergencies() -> Iterator[Plan]:
    """Yield plans with one emergency: what people do to it, and to its documents."""
    throttled = PlannedEvent(HOUR, "arm throttles")
    leak = PlannedEvent(HOUR + MINUTE, "leak key1 of the account")
    for leaked in ("key1", "key2", "unknown"):
        ended = PlannedEvent(2 * HOUR, f"leak {leaked} of the account")
        yield _with(CALM, ended, PlannedEvent(3 * HOUR, "tamper: restore an older emergency"))
        yield replace(_with(CALM, ended), new_key_delay=200)
    for then in (
        "tamper: delete a record",
        "tamper: restore an older record",
        "tamper: change the salt of a record",
        "tamper: delete an emergency",
        "tamper: garble an emergency",
        "cancel the emergency as an operator",
        "abandon the emergency as an operator",
    ):
        yield _with(CALM, throttled, leak, PlannedEvent(HOUR + 2 * MINUTE, then))
    yield from _from_records()
    yield from _in_bulk()
    yield from _stale()
    yield from _repeated()


def _from_records() -> Iterator[Plan]:
    """The leaked value is pinned as a restored record remembers it, which is long dead."""
    rotated, restored = (
        PlannedEvent(0, "ask"),
        PlannedEvent(4 * HOUR, "tamper: restore an older record"),
    )
    for leaked in ("key1", "key2", "unknown"):
        report = PlannedEvent(4 * HOUR, f"leak {leaked} everywhere")
        yield _with(CALM, rotated, restored, report)


def _in_bulk() -> Iterator[Plan]:
    """A vault that cannot be listed, and accounts that no dry run has counted."""
    closed = PlannedEvent(HOUR, "close the vault")
    report = PlannedEvent(HOUR + MINUTE, "leak key1 everywhere")
    yield _with(replace(CALM, targets=2, vaults=2), closed, report)
    yield _with(replace(CALM, accounts=2), report)


def _stale() -> Iterator[Plan]:
    """A document is restored a day later, from before it began, or from before it was cancelled."""
    restored = PlannedEvent(DAY + 2 * HOUR, "tamper: restore an older emergency")
    rotated = PlannedEvent(8 * HOUR, "ask")
    first = PlannedEvent(0, "leak key1 everywhere")
    yield replace(_with(CALM, first, rotated, restored), hours=30)
    between = HOUR + 5 * MINUTE  # between two sweeps, so that there is no record
    events = (
        PlannedEvent(between, "tamper: delete a record"),
        PlannedEvent(between + 1, "arm throttles"),
        PlannedEvent(between + 2, "leak key1 everywhere"),
        PlannedEvent(between + 6, "cancel the emergency"),
    )
    yield replace(_with(CALM, *events, restored), hours=30)


def _repeated() -> Iterator[Plan]:
    """One Idempotency-Key for two requests: at the same time, or for a plain one before."""
    twice = PlannedEvent(HOUR, "leak key1 of the account twice")
    for seed in range(4):
        yield replace(_with(CALM, twice), seed=seed, latency=0.3)
    yield _with(CALM, PlannedEvent(HOUR, "leak key2 with a used key"))


def suspects() -> Iterator[Plan]:
    """Yield a plan in which somebody shows a key an hour before it is reported as leaked."""
    shown = PlannedEvent(DAY + 2 * HOUR, "strangers show the live key")
    leak = PlannedEvent(DAY + 2 * HOUR + 50 * MINUTE, "leak key1 of the account")
    yield replace(_with(BROAD, shown, leak), hours=30)


def reordered_versions() -> Iterator[Plan]:
    """Yield plans in which Key Vault lists a secret's versions in another order than by time.

    Its order follows the versions' ids, which differ from seed to seed.
    """
    by_hand, ask = PlannedEvent(HOUR, "publish Key2"), PlannedEvent(HOUR + MINUTE, "ask")
    for seed in range(8):
        yield replace(_with(CALM, by_hand, ask), seed=seed)


def interrupted_revocations() -> Iterator[Plan]:
    """Yield plans in which a regenerate fails, and a person acts before the next try."""
    due = replace(CALM, due=True, targets=2)
    world = run_plan(due)
    calls = [n for n, call in enumerate(world.interceptor.calls) if call == "arm.regenerate_key"]
    revoked_at = int((world.regenerated[1][0] - START).total_seconds())
    failed = PlannedEvent(calls[1], "503")
    for what in ("publish Key1", "publish a dead key", "disable", "close the vault"):
        yield _with(due, failed, PlannedEvent(revoked_at + 1, what))


def _with(plan: Plan, *events: PlannedEvent) -> Plan:
    return replace(plan, events=events)
