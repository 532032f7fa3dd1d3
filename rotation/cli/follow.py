"""An operation as it goes on, line by line, until it ends or has nothing to do for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from . import output as screen
from .clients.protocol import Reach, ask
from .exit_status import Exit

POLL = 1.0  # seconds

# Whoever waits at a terminal is let go where the next step is further away than this.
PATIENCE = timedelta(minutes=5)

TAKEN_UP = timedelta(minutes=1)


async def follow(reach: Reach, name: str, *, as_json: bool, leave: bool) -> Exit:
    """``leave``: return also where the operation only waits for its time, such as the overlap."""
    told = Told()
    while True:
        found = await ask(reach, "GET", f"rotations/{name}")
        if not as_json:
            told.show(found)
        if found["state"] in ("ended", "cancelled", "blocked") or (leave and _rests(found)):
            break
        await asyncio.sleep(POLL)
    if as_json:
        screen.show_json(found)
    else:
        _conclude(found)
    return {"blocked": Exit.FAILING, "cancelled": Exit.ATTENTION}.get(found["state"], Exit.OK)


async def follow_all(reach: Reach, batch: str, accounts: int) -> tuple[Exit, dict[str, int]]:
    """Many at once, as a bar, until each has ended, stopped or only waits for its time."""
    with screen.progress("rotations") as done:
        while True:
            found = await ask(reach, "GET", "rotations", query={"batch": batch})
            active = [one for one in found["rotations"] if one["state"] in ("waiting", "running")]
            resting = sum(_rests(one) for one in active)
            under_way = sum(found["states"].get(state, 0) for state in ("waiting", "running"))
            done(accounts - under_way + resting, accounts)
            if resting == len(active):
                break
            await asyncio.sleep(POLL)
    states: dict[str, int] = found["states"]
    return (Exit.FAILING if states.get("blocked") else Exit.OK), states


class Told:
    """What was said already."""

    def __init__(self) -> None:
        self.entries = 0
        self.waiting = ""

    def show(self, found: Mapping[str, Any]) -> None:
        audit = found.get("audit", [])
        for entry in audit[self.entries :]:
            screen.say(f"{screen.moment(entry['at'])}  {entry['what']}")
        self.entries = len(audit)
        waiting = found.get("waitingFor", "")
        if waiting and waiting != self.waiting and found["state"] == "running":
            screen.say(f"{' ' * 22}{waiting}")
            self.waiting = waiting


def _rests(found: Mapping[str, Any]) -> bool:
    """A request that was only just made has not been looked at: its account's wait is older."""
    now = datetime.now(UTC)
    if found["state"] == "waiting" and now - _time(found, "requestedAt") < TAKEN_UP:
        return False
    return _time(found, "waitingUntil") - now > PATIENCE


def _time(found: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(found.get(name) or screen.LONG_AGO)


def _conclude(found: Mapping[str, Any]) -> None:
    if found["state"] == "blocked":
        trouble = found["trouble"]
        screen.warn(f"It stopped: {trouble['message']}", trouble["remedy"])
        name = found["id"]
        screen.say(f"then: python -m rotation resume {name}  (or: abandon {name})")
    elif found["state"] == "ended":
        screen.say(f"Done: {found.get('outcome', '')}")
    elif found["state"] == "cancelled":
        screen.say("Cancelled.")
    else:
        screen.say(
            f"It waits until {screen.moment(found['waitingUntil'])}: {found.get('waitingFor', '')}",
            f"The service goes on by itself; python -m rotation watch {found['id']}",
        )
