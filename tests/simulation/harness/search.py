"""Looks for a violation where it is likely first, then everywhere. For the mutants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from . import many
from .checker import Violation
from .fault_injection import possible
from .plans import Happening, Plan, plan
from .scenarios import STORIES, Story, play, singles
from .world import World

SEEDS = range(150)
Scenario = Callable[[], object]


def first_violation(ground: str) -> str | None:
    """What broke first, or None where nothing did."""
    for name in (ground, *(other for other in GROUNDS if other != ground)):
        for scenario in GROUNDS[name]():
            try:
                scenario()
            except Violation as violation:
                return f"{name}: {violation}"
    return None


def _faults() -> Iterator[Scenario]:
    """No fault, then single ones, at the port level; with one secret, then with two."""
    for targets in (1, 2):
        for story in STORIES:
            yield partial(_play, story, {}, targets=targets)
            found = list(asyncio.run(singles(story, "port", targets, classes=True)))
            for call, fault in found[:: 3 * targets - 2]:
                yield partial(_play, story, {call: fault}, targets=targets)


def _wire() -> Iterator[Scenario]:
    """Everything that can happen to a regenerate on the wire."""
    for story in STORIES:
        calls = _play(story, {}, level="wire").gate.calls
        for number, call in enumerate(calls):
            for fault in possible(call) if call == "arm.regenerate_key" else ():
                yield partial(_play, story, {number: fault}, level="wire")


def _play(story: Story, faults: dict[int, str], **more: Any) -> World:
    return asyncio.run(play(story, faults, **more))


def _seeds() -> Iterator[Scenario]:
    return (partial(many.run, plan(seed)) for seed in SEEDS)


def _aimed() -> Iterator[Scenario]:
    """What chance seldom brings together."""
    yield partial(many.run, Plan(0, new_key_delay=200))
    yield partial(many.run, Plan(0, new_key_delay=200, blind=True))
    leak = Happening(20, "leak unknown")
    for call in range(20):  # a worker sleeps past its lease, and somebody reports a leak meanwhile
        frozen = Happening(call, "freeze")
        yield partial(many.run, Plan(0, due=False, skews=(0, 0), happenings=(frozen, leak)))


GROUNDS: dict[str, Callable[[], Iterator[Scenario]]] = {
    "faults": _faults,
    "wire": _wire,
    "seeds": _seeds,
    "aimed": _aimed,
}
