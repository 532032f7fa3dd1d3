"""The rotations command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from .. import output
from ..arguments import account_name
from ..clients.protocol import ApiClient, call
from ..exit_status import ExitStatus
from ..parameters import Direct, Json, Url
from ..run import run_with_client

COLUMNS = ("ROTATION", "STATE", "PURPOSE", "ACCOUNT", "STARTED", "BY", "REASON", "OUTCOME")

State = Annotated[
    str,
    typer.Option("--state", help="Only rotations in this state: waiting, running, blocked, ended."),
]
Account = Annotated[str, typer.Option("--account", help="Only this account (its resource id).")]
Batch = Annotated[str, typer.Option("--batch", help="Only the rotations of this batch.")]


def rotations(
    state: State = "",
    account: Account = "",
    batch: Batch = "",
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """List the newest rotations and the requests that wait."""
    wanted = {"state": state, "account": account, "batch": batch}
    query = {name: value for name, value in wanted.items() if value}
    run_with_client(url, direct, lambda client: _rotations(client, query, as_json=as_json))


async def _rotations(client: ApiClient, query: Mapping[str, str], *, as_json: bool) -> ExitStatus:
    found = await call(client, "GET", "rotations", query=query)
    if as_json:
        output.as_json(found)
    elif found["rotations"]:
        output.table(COLUMNS, map(_row, found["rotations"]))
    else:
        output.echo("No rotation matches." if query else "No rotation has been requested yet.")
    return ExitStatus.OK


def _row(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        one["id"],
        one["state"],
        one.get("purpose", ""),
        account_name(one.get("account", "")),
        output.format_time(one.get("startedAt") or one.get("requestedAt")),
        one.get("requester", ""),
        one.get("reason", ""),
        one.get("outcome", "") or one.get("waitingFor", ""),
    )
