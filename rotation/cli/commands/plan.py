"""The plan command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import output
from ..arguments import account_name
from ..clients.protocol import ApiClient, call
from ..exit_status import ExitStatus
from ..parameters import Direct, Json, Url
from ..run import run_with_client

COLUMNS = ("ACCOUNT", "SECRETS", "ACTION", "UNTIL", "WHY")


def plan(url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Show what the next sweep would do and why."""
    run_with_client(url, direct, lambda client: _plan(client, as_json=as_json))


async def _plan(client: ApiClient, *, as_json: bool) -> ExitStatus:
    found = await call(client, "GET", "plan")
    if as_json:
        output.as_json(found)
    else:
        output.echo(f"The next sweep will visit {output.count(found['accounts'], 'account')}.")
        output.table(COLUMNS, map(_row, found["would"]))
        for problem in found["problems"]:
            output.echo(f"! {problem}")
    return ExitStatus.ATTENTION if found["problems"] else ExitStatus.OK


def _row(would: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        account_name(would["account"]),
        ", ".join(would["secrets"] or ()),
        would["action"],
        output.format_time(would["until"]),
        would["reason"],
    )
