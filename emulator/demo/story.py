"""The demo's three chapters: a scheduled rotation, a repair, an emergency.

Every effect is real. A chapter raises Failed if something does not happen.
"""

from __future__ import annotations

import asyncio
import time

from .app import Failed
from .consumers import Tally
from .stage import ACCOUNT, SECRET, VAULT, Stage


async def tell(stage: Stage) -> None:
    """Run all three chapters."""
    await _scheduled_rotation(stage)
    await _repair(stage)
    await _emergency(stage)


async def _scheduled_rotation(stage: Stage) -> None:
    old = stage.published_key
    stage.screen.begin("1  Scheduled rotation: the secret is near its expiry date")
    await stage.until("the secret is rotated", lambda: stage.published_events("Rotated") == 1)
    stage.screen.report("new key verified and published; both keys work (overlap)")
    if not stage.works(old):
        raise Failed("the old key stopped working before the overlap was over")
    await stage.until("the old key is revoked", lambda: stage.published_events("Revoked") == 1)
    if stage.works(old):
        raise Failed("the old key still works")
    if stage.tally.read_again:
        raise Failed("an app was refused during a scheduled rotation")
    stage.screen.report("old key revoked: a call with it was refused")


async def _repair(stage: Stage) -> None:
    stage.screen.begin("2  Repair: someone regenerates the published key by hand")
    stage.tally.in_outage = True
    stage.azure.regenerate_by_hand(ACCOUNT, stage.published_slot)
    await stage.until("the secret is repaired", lambda: stage.published_events("Repaired") == 1)
    await stage.until("all apps work again", lambda: _is_well(stage.tally))
    stage.tally.in_outage = False
    stage.screen.report("secret repaired: all apps have a working key again")


def _is_well(tally: Tally) -> bool:
    return time.monotonic() - tally.last_failure > 1.0


async def _emergency(stage: Stage) -> None:
    stage.screen.begin("3  Emergency: the published key was pasted into a public chat")
    leaked, began = stage.published_key, time.monotonic()
    url = await stage.post(
        {
            "vault": VAULT,
            "secret": SECRET,
            "leaked": stage.published_slot.lower(),
            "reason": "pasted into a public chat",
        }
    )
    await stage.until("the leaked key is revoked", lambda: not stage.works(leaked))
    seconds = time.monotonic() - began
    stage.screen.report(f"the leaked key stopped working {seconds:.1f} s after the request")
    await stage.until("the emergency ends", lambda: stage.published_events("Revoked") == 2)
    await asyncio.sleep(0.5)
    if (await stage.operation(url)).get("state") != "ended":
        raise Failed("the emergency's operation has not ended")
    stage.screen.report("the service has proved that the leaked key is refused: emergency over")
