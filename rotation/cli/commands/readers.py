"""The readers command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import output
from ..arguments import SecretArgument
from ..clients.protocol import ApiClient, call
from ..exit_status import ExitStatus
from ..parameters import Direct, Json, Secret, Url
from ..run import run_with_client

_UNKNOWN = "unknown"


def readers(secret: Secret, url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Show who read a secret last, by the vault's audit log."""
    argument = SecretArgument.parse(secret)
    run_with_client(url, direct, lambda client: _readers(client, argument, as_json=as_json))


async def _readers(client: ApiClient, secret: SecretArgument, *, as_json: bool) -> ExitStatus:
    found = await call(client, "GET", f"{secret.path}/readers")
    if as_json:
        output.as_json(found)
    elif found["readers"] is None:
        output.echo(f"The readers are {_UNKNOWN}: {found['problem']}.")
    else:
        _show(found)
    return _status(found)


def _show(found: Mapping[str, Any]) -> None:
    columns = ("IDENTITY", "READ", "LAST READ", "VERSION", "RESOURCE")
    output.table(columns, map(_row, found["readers"]))
    if not found["readers"]:
        output.echo(f"Nobody has read it since {output.format_time(found['since'])}.")
    if found["problem"]:
        output.echo(f"Note: {found['problem']}.")


def _row(reader: Mapping[str, Any]) -> tuple[str, ...]:
    state = "an older version" if reader["behind"] else "the latest"
    at = output.format_time(reader["readAt"])
    version = reader["version"] or _UNKNOWN
    return reader["identity"], state, at, version, reader["resource"] or _UNKNOWN


def _status(found: Mapping[str, Any]) -> ExitStatus:
    late = any(reader["behind"] for reader in found["readers"] or ())
    return ExitStatus.ATTENTION if late or found["problem"] else ExitStatus.OK
