"""Follows a batch until nothing more happens soon: what it waits for, and keys not revoked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import interruption, output, progress
from .arguments import account_name
from .clients.protocol import ApiClient, call
from .exit_status import ExitStatus

_UNDER_WAY = ("waiting", "running")

_SHOWN = 3  # names of accounts beside the bar

_LISTED = 20  # accounts that it still waits for, in the end


@dataclass(frozen=True)
class BatchResult:
    """The exit status, and the rotations that are not revoked or under way; at most 200 each.

    ``states`` has the number of rotations in each state.
    """

    status: ExitStatus = ExitStatus.OK
    states: Mapping[str, int] = field(default_factory=dict)
    not_revoked: Sequence[Mapping[str, Any]] = ()
    under_way: Sequence[Mapping[str, Any]] = ()


async def follow_batch(client: ApiClient, batch: str, accounts: int) -> BatchResult:
    """Follow until each rotation has ended, is blocked, is held or waits for a long time."""
    look = f"See how far it is: keyrotation rotations --batch {batch}"
    with interruption.explained("The rotations are not cancelled.", look):
        await _wait(client, batch, accounts)
        return await _result(client, batch)


async def _wait(client: ApiClient, batch: str, accounts: int) -> None:
    printer, held = progress.NotRevokedPrinter(), Counter[str]()
    with output.progress("rotations") as advance:
        while True:
            found = [await _in_state(client, batch, state) for state in _UNDER_WAY]
            active = [one for page in found for one in page["rotations"]]
            for one in active:
                printer.show(one, f"{account_name(one['account'])}: ")
                held[one["id"]] = held[one["id"]] + 1 if one.get("notRevoked") else 0
            resting = [one for one in active if progress.rests(one, held[one["id"]])]
            states: Mapping[str, int] = found[-1]["states"]
            under_way = sum(states.get(state, 0) for state in _UNDER_WAY)
            busy = [account_name(one["account"]) for one in active if one not in resting]
            advance(accounts - under_way + len(resting), accounts, _waiting_for(busy))
            if not busy:
                break
            await asyncio.sleep(progress.POLL_SECONDS)


def _waiting_for(names: Sequence[str]) -> str:
    """Return ``waiting for a, b, c and 2 more``."""
    shown = ", ".join(sorted(names)[:_SHOWN])
    more = len(names) - _SHOWN
    return f"waiting for {shown} and {more} more" if more > 0 else f"waiting for {shown}"


async def _result(client: ApiClient, batch: str) -> BatchResult:
    last = await call(client, "GET", "rotations", query={"batch": batch})
    statuses = [progress.exit_status(one) for one in last["rotations"]]
    blocked = [ExitStatus.FAILING] if last["states"].get("blocked") else []
    not_revoked = [one for one in last["rotations"] if one.get("notRevoked")]
    under_way = [one for one in last["rotations"] if one["state"] in _UNDER_WAY]
    worst = max([*statuses, *blocked, ExitStatus.OK])
    return BatchResult(worst, last["states"], not_revoked, under_way)


async def _in_state(client: ApiClient, batch: str, state: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await call(
        client, "GET", "rotations", query={"batch": batch, "state": state}
    )
    return found


def show_batch(accepted: Mapping[str, Any], result: BatchResult) -> None:
    """Print what was accepted, what became of it, and what it still waits for."""
    total = output.count(accepted["accounts"], "account")
    output.echo(f"Accepted for {len(accepted['rotations'])} of {total}.")
    for one in accepted["rotations"]:
        if one.get("repeated"):
            output.echo(f"{account_name(one['account'])}: {progress.already_requested(one['id'])}")
    if result.states:
        output.echo(", ".join(f"{count} {state}" for state, count in sorted(result.states.items())))
    output.echo(*map(_waits, result.under_way[:_LISTED]))
    if result.not_revoked:
        keys = output.count(len(result.not_revoked), "account")
        output.error(f"NOT REVOKED: {keys}", "the reasons are above; the service keeps trying")
    for vault in accepted.get("notSeen", ()):
        output.error(f"Not seen: {vault}", "secrets that only this vault lists are not covered")
    for failure in accepted["failed"]:
        output.error(f"{failure['account']}: {failure['error']}")
    output.echo(f"See all: keyrotation rotations --batch {accepted['batch']}")


def _waits(one: Mapping[str, Any]) -> str:
    until = output.format_time(one.get("waitingUntil"))
    until = f" until {until}" if until else ""
    return f"{account_name(one['account'])}: waiting{until}: {one.get('waitingFor', '')}"
