"""The hold command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from .. import output
from ..arguments import parse_time
from ..clients.protocol import ApiClient, call, change
from ..exit_status import CommandError, ExitStatus
from ..parameters import Direct, DryRun, Json, Url
from ..run import run_with_client

_EXAMPLE = "Example: keyrotation hold --until 2026-12-24T18:00Z --reason 'release freeze'"


def hold(
    until: Annotated[
        str,
        typer.Option("--until", help="The end (ISO 8601), at most 14 days ahead."),
    ] = "",
    off: Annotated[bool, typer.Option("--off", help="End the hold now.")] = False,
    reason: Annotated[
        str, typer.Option("--reason", "-r", help="The reason, recorded in the audit trail.")
    ] = "",
    dry_run: DryRun = False,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Hold all scheduled work until a time; without an option, show the hold."""
    body = _body(until, off, reason)
    if body and dry_run:
        body["dry_run"] = True
    run_with_client(url, direct, lambda client: _hold(client, body, as_json=as_json))


def _body(until: str, off: bool, reason: str) -> dict[str, Any]:
    """Return the request's body; empty to show the hold. Raises CommandError."""
    if until and off:
        raise CommandError(ExitStatus.USAGE, "Give either --until or --off.", _EXAMPLE)
    if off:
        return {"off": True, "reason": reason or "no longer needed"}
    if not until:
        return {}
    if not reason:
        raise CommandError(ExitStatus.USAGE, "A hold needs a --reason.", _EXAMPLE)
    return {"until": parse_time(until), "reason": reason}


async def _hold(client: ApiClient, body: Mapping[str, Any], *, as_json: bool) -> ExitStatus:
    if body:
        found = await change(client, "POST", "hold", body, look="keyrotation hold")
    else:
        found = await call(client, "GET", "hold")
    if as_json:
        output.as_json(found)
    else:
        _show(found, is_preview="dry_run" in body)
    return ExitStatus.ATTENTION if found.get("problem") else ExitStatus.OK


def _show(found: Mapping[str, Any], *, is_preview: bool) -> None:
    if found.get("problem"):
        output.error(f"! {found['problem']}")
    if not found["held"]:
        output.echo("Scheduled work is not held.")
        return
    until, held = output.format_time(found["until"]), "would be held" if is_preview else "is held"
    output.echo(
        f"All scheduled work {held} until {until} by {found['requester']}: {found['reason']}",
        "Repairs and emergencies go on. No secret expires because of it.",
        "End it earlier with: keyrotation hold --off",
    )
