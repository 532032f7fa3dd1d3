"""Follows a batch: a bar, and every key that is not revoked, until nothing more happens soon."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import output, progress
from .arguments import account_name
from .clients.protocol import ApiClient, call
from .exit_status import ExitStatus

_UNDER_WAY = ("waiting", "running")


@dataclass(frozen=True)
class BatchResult:
    """The exit status, the number of rotations in each state, and those that are not revoked."""

    status: ExitStatus
    states: Mapping[str, int]
    not_revoked: list[Mapping[str, Any]]


async def follow_batch(client: ApiClient, batch: str, accounts: int) -> BatchResult:
    """Follow until each rotation has ended, is blocked, is held or waits for a long time."""
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
            advance(accounts - under_way + len(resting), accounts)
            if len(resting) == len(active):
                break
            await asyncio.sleep(progress.POLL_SECONDS)
    return await _result(client, batch)


async def _result(client: ApiClient, batch: str) -> BatchResult:
    last = await call(client, "GET", "rotations", query={"batch": batch})
    statuses = [progress.exit_status(one) for one in last["rotations"]]
    blocked = [ExitStatus.FAILING] if last["states"].get("blocked") else []
    not_revoked = [one for one in last["rotations"] if one.get("notRevoked")]
    return BatchResult(max([*statuses, *blocked, ExitStatus.OK]), last["states"], not_revoked)


async def _in_state(client: ApiClient, batch: str, state: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await call(
        client, "GET", "rotations", query={"batch": batch, "state": state}
    )
    return found
