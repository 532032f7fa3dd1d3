"""The run: rotations, a kill, a throttled vault, and an emergency, under a steady load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from emulator.core.faults import Fault

from .results import Span
from .world import VAULTS, Size, World

PATIENCE = 120.0
THROTTLED_SECONDS = 5.0
THROTTLING = Fault(
    "answer",
    match=f"https://{VAULTS[1]}.*",
    status=429,
    headers={"Retry-After": "1"},
    times=10**9,
)


@dataclass
class Story:
    """The events of a run, with times in seconds; ``emergencies`` are by the secret's name."""

    spans: list[tuple[str, Span]] = field(default_factory=list)
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
    """Rotate all accounts; kill the app after the first publish, and throttle a vault twice.

    At first only its writes, which delays its publishes; then everything, so that consumers cannot
    read the new version for a while.
    """
    old = [world.azure.secret(vault, secret).current.value for vault, secret in world.secrets]
    with _throttled(world, story, "writes throttled", "keyvault.set_secret"):
        story.moments["rotation"] = time.time()
        for vault, secret in world.secrets:
            await world.app.request({"vault": vault, "secret": secret, "reason": "load"})
        await until("a key is published", lambda: _published(world) > 0)
        story.moments["killed"] = time.time()
        await world.app.kill()
        await asyncio.sleep(1)
        await world.app.start()
        story.moments["restarted"] = time.time()
    await until("all keys are published", lambda: _published(world) == len(old))
    with _throttled(world, story, "throttled", "keyvault.*"):
        await asyncio.sleep(THROTTLED_SECONDS)
    await until("all old keys are revoked", lambda: not any(map(world.works, old)))


@contextmanager
def _throttled(world: World, story: Story, name: str, operation: str) -> Iterator[None]:
    """Answer 429 to these calls of one vault until the end of the block."""
    began, fault = time.time(), replace(THROTTLING, operation=operation)
    world.azure.faults.add(fault)
    yield
    world.azure.faults.clear()
    story.spans.append((name, Span(began, time.time())))


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
    story.emergencies[secret] = Span(began, time.time())
    story.spans.append(("emergency", story.emergencies[secret]))
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
