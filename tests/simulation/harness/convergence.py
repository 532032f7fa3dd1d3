"""Checks for the end of a run: every operation has ended, and nothing changes any more."""

from __future__ import annotations

from rotation.domain.ids import AccountId
from rotation.domain.operation import Phase

from .garbage import GARBAGE
from .invariants import Invariant
from .world import World


def is_settled(world: World) -> bool:
    """Return whether each account has ended an operation and has nothing left to do."""
    records = [world.record(account) for account in world.ids]
    return all(
        record.phase is Phase.IDLE
        and not (record.requests or record.outbox or record.intent or record.blocked)
        and bool(record.history)
        for record in records
    )


def describe_phases(world: World) -> str:
    """Return each account's phase and what it is waiting for."""
    records = [world.record(account) for account in world.ids]
    return "; ".join(f"{r.phase}: {r.waiting or r.blocked}" for r in records)


def count_changes(world: World) -> tuple[int, ...]:
    """Return how many keys were regenerated, and how many versions each secret has."""
    ledgers = [world.observations.ledger_of(str(account)) for account in world.ids]
    targets = [target for account in world.ids for target in world.enrolled(account)]
    return (
        sum(len(ledger.regenerated) for ledger in ledgers),
        *(len(world.versions(target)) for target in targets),
    )


def check_stable(world: World, before: tuple[int, ...]) -> None:
    """Raises Violation if anything was changed since."""
    stable = count_changes(world) == before
    message = "every operation has ended, and something still changes"
    world.invariants.require(Invariant.STABLE_AT_REST, stable, message)


def check_published(world: World) -> None:
    """Raises Violation unless all secrets of each account publish one key that works."""
    for account in world.ids:
        values = published_values(world, account)
        message = "the secrets publish different keys"
        world.invariants.require(Invariant.ONE_KEY_PUBLISHED, len(values) <= 1, message)
        works = all(world.accepts(value) for value in values)
        message = "the secrets publish a key that does not work"
        world.invariants.require(Invariant.WORKS_AT_REST, works, message)


def check_events(world: World) -> None:
    """Raises Violation if an event that was sent at either level contains a key."""
    text = repr((world.sent, world.azure.topics.received))
    clean = not any(key in text for key in world.azure.accounts.lives)
    world.invariants.require(Invariant.NO_KEY_IN_EVENTS, clean, "an event contains a key")


def published_values(world: World, account: AccountId) -> set[str]:
    return {world.latest(target).value for target in world.enrolled(account)}


def check_poison_queue(world: World) -> None:
    """Raises Violation if a message was given up, unless nobody can read it.

    The neighbours' vault may stay closed, so that events about it are given up.
    """
    poison = [
        text
        for text in world.storage.poison
        if text not in GARBAGE and '"vault":"https://kv-neighbours' not in text
    ]
    message = f"in the poison queue: {poison}"
    world.invariants.require(Invariant.NO_POISON_MESSAGE, not poison, message)
