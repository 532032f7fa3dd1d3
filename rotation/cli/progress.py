"""Follows rotations: prints their progress until they end, are blocked, or wait for a long time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from . import output
from .clients.protocol import ApiClient, call
from .exit_status import ExitStatus

POLL_SECONDS = 1.0

# Stop following an emergency that is held for longer: what holds it may take long.
HELD_POLLS = 10

# Stop following if the next step is further away than this.
LONG_WAIT = timedelta(minutes=5)

# A new request shows its account's earlier wait until the reconciler has looked at it.
PICK_UP_TIME = timedelta(minutes=1)


async def follow(client: ApiClient, rotation: str, *, as_json: bool, until_end: bool) -> ExitStatus:
    """Print a rotation's progress. Return early at a long wait unless ``until_end``."""
    printer, held = ProgressPrinter(), 0
    while True:
        found = await call(client, "GET", f"rotations/{rotation}")
        if not as_json:
            printer.show(found)
        held = held + 1 if found.get("notRevoked") else 0
        finished = found["state"] in ("ended", "cancelled", "blocked") or held > HELD_POLLS
        if finished or (not until_end and _waits_long(found)):
            break
        await asyncio.sleep(POLL_SECONDS)
    if as_json:
        output.as_json(found)
    else:
        _print_result(found)
    return _exit_status(found)


def _exit_status(found: Mapping[str, Any]) -> ExitStatus:
    """Return 0 unless a person must look: an old key was regenerated without proof, for example."""
    if found["state"] == "blocked" or found.get("notRevoked"):
        return ExitStatus.FAILING
    unknown = found.get("revoked", True) is None  # of an emergency
    is_unproven = unknown or ("proof" in found and not found.get("proven"))
    if found["state"] == "cancelled" or (found["state"] == "ended" and is_unproven):
        return ExitStatus.ATTENTION
    return ExitStatus.OK


async def follow_batch(
    client: ApiClient, batch: str, accounts: int
) -> tuple[ExitStatus, dict[str, int]]:
    """Show a bar until each rotation has ended, is blocked or waits for a long time.

    Return the exit status and how many rotations there are in each state.
    """
    with output.progress("rotations") as advance:
        while True:
            found = await call(client, "GET", "rotations", query={"batch": batch})
            active = [one for one in found["rotations"] if one["state"] in ("waiting", "running")]
            resting = sum(map(_waits_long, active))
            under_way = sum(found["states"].get(state, 0) for state in ("waiting", "running"))
            advance(accounts - under_way + resting, accounts)
            if resting == len(active):
                break
            await asyncio.sleep(POLL_SECONDS)
    states: dict[str, int] = found["states"]
    return (ExitStatus.FAILING if states.get("blocked") else ExitStatus.OK), states


class ProgressPrinter:
    """Prints a rotation's audit entries, each once."""

    def __init__(self) -> None:
        self.entries = 0
        self.waiting_for = ""

    def show(self, found: Mapping[str, Any]) -> None:
        audit = found.get("audit", [])
        for entry in audit[self.entries :]:
            output.echo(f"{output.format_time(entry['at'])}  {entry['what']}")
        self.entries = len(audit)
        waiting_for = found.get("waitingFor", "")
        if waiting_for and waiting_for != self.waiting_for and found["state"] == "running":
            output.echo(f"{' ' * 22}{waiting_for}")
            self.waiting_for = waiting_for


def _waits_long(found: Mapping[str, Any]) -> bool:
    now = datetime.now(UTC)
    if found["state"] == "waiting" and now - _time(found, "requestedAt") < PICK_UP_TIME:
        return False
    return _time(found, "waitingUntil") - now > LONG_WAIT


def _time(found: Mapping[str, Any], member: str) -> datetime:
    text = found.get(member)
    return datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, UTC)


def _print_result(found: Mapping[str, Any]) -> None:
    name, held = found["id"], found.get("notRevoked")
    if held:
        output.error(f"NOT REVOKED: {held['reason']}", held["remedy"])
        output.echo(f"The service keeps trying. Follow it with: python -m rotation watch {name}")
    elif found["state"] == "blocked":
        output.error(f"Blocked: {found['trouble']['message']}", found["trouble"]["remedy"])
        output.echo(f"Then: python -m rotation resume {name}  (or: abandon {name})")
    elif found["state"] == "ended":
        output.echo(f"Done: {found.get('outcome', '')}")
    elif found["state"] == "cancelled":
        output.echo("Cancelled.")
    else:
        until = output.format_time(found["waitingUntil"])
        output.echo(
            f"Waiting until {until}: {found.get('waitingFor', '')}",
            "The service continues in the background. Follow it with: "
            f"python -m rotation watch {name}",
        )
