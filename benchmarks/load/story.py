"""The run: rotations, a kill, a throttled vault, and an emergency, under a steady load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.core.faults import Fault

from .results import Span
from .world import VAULTS, Size, World

PATIENCE = 120.0
THROTTLED_SECONDS = 5.0


@dataclass
class Story:
    """``spans`` and ``moments`` name what happened, and when, in seconds."""

    spans: dict[str, Span] = field(default_factory=dict)
    moments: dict[str, float] = field(default_factory=dict)
    emergencies: dict[str, Span] = field(default_factory=dict)


async def tell(world: World, size: Size) -> Story:
    """Run everything. Raises TimeoutError if a step does not happen."""
    story = Story()
    await until("every consumer has made a call", lambda: _all_call(world))
    await _rotate_under_faults(world, story)
    await _emergency(world, size, story)
    return story


async def _rotate_under_faults(world: World, story: Story) -> None:
    """Rotate all accounts; kill the app after the first publish, then throttle a vault."""
    old = [world.azure.secret(vault, secret).current.value for vault, secret in world.secrets]
    story.moments["rotation"] = time.time()
    for vault, secret in world.secrets:
        await world.app.request({"vault": vault, "secret": secret, "reason": "load"})
    await until("a key is published", lambda: _published(world) > 0)
    story.moments["killed"] = time.time()
    await world.app.kill()
    await asyncio.sleep(1)
    await world.app.start()
    story.moments["restarted"] = time.time()
    await _throttle(world, story)
    await until("all keys are published", lambda: _published(world) == len(old))
    await until("all old keys are revoked", lambda: not any(map(world.works, old)))


async def _throttle(world: World, story: Story) -> None:
    """Answer 429 to every call of one vault, for a while."""
    began = time.time()
    world.azure.faults.add(
        Fault(
            "answer",
            "keyvault.*",
            match=f"https://{VAULTS[1]}.*",
            status=429,
            headers={"Retry-After": "1"},
            times=10**9,
        )
    )
    await asyncio.sleep(THROTTLED_SECONDS)
    world.azure.faults.clear()
    story.spans["throttled"] = Span(began, time.time())


async def _emergency(world: World, size: Size, story: Story) -> None:
    """Revoke a published key at once; the span ends when every consumer had time to read again."""
    vault, secret = world.secrets[0]
    keys = world.azure.account(secret).keys
    leaked = world.azure.secret(vault, secret).current.value
    slot = next(slot for slot, key in keys.items() if key == leaked)
    began = time.time()
    await world.app.request(
        {"vault": vault, "secret": secret, "reason": "load", "leaked": slot.lower()}
    )
    await until("the leaked key is revoked", lambda: not world.works(leaked))
    await asyncio.sleep(size.every)
    story.emergencies[secret] = story.spans["emergency"] = Span(began, time.time())
    await asyncio.sleep(size.settled)


def _published(world: World) -> int:
    """Return how many secrets have a second version."""
    return sum(len(world.azure.secret(*place).versions) > 1 for place in world.secrets)


def _all_call(world: World) -> bool:
    return len({one.consumer for one in world.requests()}) == len(world.consumers)


async def until(what: str, done: Callable[[], bool]) -> None:
    """Wait until a condition holds. Raises TimeoutError with ``what`` if it does not."""
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"this did not happen within {PATIENCE:.0f} s: {what}")
        await asyncio.sleep(0.2)
