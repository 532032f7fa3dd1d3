"""The status command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import health, output
from ..arguments import secret_name
from ..clients.protocol import ApiClient, call
from ..exit_status import ExitStatus
from ..parameters import Direct, Json, Url
from ..run import run_with_client

COLUMNS = ("SECRET", "STATE", "KEY", "AGE", "EXPIRES IN", "NEXT", "WHEN", "WAITING FOR")


def status(url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Show every secret's state. Exit status: 0 healthy, 1 attention, 2 failing."""
    run_with_client(url, direct, lambda client: _status(client, as_json=as_json))


async def _status(client: ApiClient, *, as_json: bool) -> ExitStatus:
    fleet = await call(client, "GET", "secrets")
    verdict, warnings = health.evaluate(fleet, await call(client, "GET", "health"))
    if as_json:
        output.as_json({"verdict": verdict.name.lower(), "worries": warnings, **fleet})
        return verdict
    _show(fleet)
    for warning in warnings:
        output.echo(f"! {warning}")
    if not warnings:
        output.echo("Everything is healthy.")
    return verdict


def _show(fleet: Mapping[str, Any]) -> None:
    if fleet["secrets"]:
        output.table(COLUMNS, map(_row, fleet["secrets"]))
    else:
        output.echo("No secret is enrolled yet: python -m rotation enrol --help")
    unmanaged = len(fleet["unmanaged"]["accounts"]) + len(fleet["unmanaged"]["secrets"])
    if unmanaged:
        output.echo(f"{unmanaged} unmanaged accounts or secrets: python -m rotation discover")


def _row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        secret_name(row["vault"], row["secret"]),
        row["state"],
        row["slot"],
        output.format_days(row["ageDays"]),
        output.format_days(row["expiresInDays"]),
        row["next"],
        output.format_time(row["nextAt"]),
        row["error"]["message"] if row["error"] else row["why"],
    )
