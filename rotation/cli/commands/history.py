"""The history command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import output
from ..arguments import SecretArgument
from ..clients.protocol import ApiClient, call
from ..exit_status import ExitStatus
from ..parameters import Direct, Json, Secret, Url
from ..run import run_with_client

VERSION_COLUMNS = ("CREATED", "VERSION", "KEY", "ENABLED", "EXPIRES", "ROTATION", "REASON")
ROTATION_COLUMNS = ("REQUESTED", "ROTATION", "PURPOSE", "STATE", "BY", "REASON", "OUTCOME")


def history(secret: Secret, url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Show a secret's versions and rotations, with their audit trail."""
    argument = SecretArgument.parse(secret)
    run_with_client(url, direct, lambda client: _history(client, argument, as_json=as_json))


async def _history(client: ApiClient, secret: SecretArgument, *, as_json: bool) -> ExitStatus:
    found = await call(client, "GET", secret.path)
    versions, rotations = found["versions"], found["rotations"]
    if as_json:
        output.as_json({"versions": versions, "rotations": rotations})
    else:
        _show(versions, rotations)
    return ExitStatus.OK


def _show(versions: Sequence[Mapping[str, Any]], rotations: Sequence[Mapping[str, Any]]) -> None:
    output.echo("Versions, newest first:")
    output.table(VERSION_COLUMNS, map(_version, versions))
    if not rotations:
        output.echo("No rotations yet.")
        return
    output.echo("Rotations, newest first:")
    output.table(ROTATION_COLUMNS, map(_rotation, rotations))
    for rotation in rotations:
        _show_audit(rotation)


def _version(version: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        output.format_time(version["created"]),
        version["version"],
        version["slot"],
        "yes" if version["enabled"] else "no",
        output.format_time(version["expires"]),
        version["rotation"],
        version["reason"],
    )


def _rotation(rotation: Mapping[str, Any]) -> tuple[Any, ...]:
    requested = output.format_time(rotation.get("startedAt") or rotation.get("requestedAt"))
    members = ("id", "purpose", "state", "requester", "reason", "outcome")
    return requested, *(rotation.get(member) for member in members)


def _show_audit(rotation: Mapping[str, Any]) -> None:
    if rotation.get("audit"):
        output.echo(f"Audit trail of {rotation['id']}:")
    for entry in rotation.get("audit", ()):
        output.echo(f"  {output.format_time(entry['at'])}  {entry['what']}")
