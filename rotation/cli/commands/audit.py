"""The audit commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from .. import output
from ..arguments import parse_time
from ..clients.protocol import ApiClient, call
from ..exit_status import ExitStatus
from ..parameters import Direct, Url
from ..run import run_with_client

app = typer.Typer(help="Export the audit trail.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Export the audit trail."""


@app.command()
def export(
    since: Annotated[
        str, typer.Option("--since", help="Only operations that ended since (ISO 8601).")
    ] = "",
    account: Annotated[
        str, typer.Option("--account", help="Only this account (its resource id).")
    ] = "",
    url: Url = "",
    direct: Direct = False,
) -> None:
    """Print each operation that has ended as a JSON document on one line, the oldest first."""
    query = {"account": account, "since": parse_time(since) if since else ""}
    given = {name: value for name, value in query.items() if value}
    run_with_client(url, direct, lambda client: _export(client, given))


async def _export(client: ApiClient, query: Mapping[str, str]) -> ExitStatus:
    page = await call(client, "GET", "audit", query=query)
    while True:
        for record in page["records"]:
            output.as_json_line(record)
        if "next" not in page:
            break
        page = await call(client, "GET", "audit", query={**query, "after": page["next"]})
    for document in page["unread"]:
        output.error(f"Not read: {document}", "its operations are missing from the export")
    return ExitStatus.ATTENTION if page["unread"] else ExitStatus.OK
