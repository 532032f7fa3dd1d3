"""The pause command."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import output
from ..arguments import SecretArgument
from ..clients.protocol import ApiClient, change
from ..exit_status import ExitStatus
from ..parameters import Direct, Json, Reason, Secret, Url
from ..run import run_with_client


def pause(
    secret: Secret,
    reason: Reason,
    off: Annotated[bool, typer.Option("--off", help="Resume scheduled rotations.")] = False,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Pause a secret's scheduled rotations; --off resumes them."""
    argument, action = SecretArgument.parse(secret), "resume" if off else "pause"
    run_with_client(
        url, direct, lambda client: _pause(client, argument, action, reason, as_json=as_json)
    )


async def _pause(
    client: ApiClient, secret: SecretArgument, action: str, reason: str, *, as_json: bool
) -> ExitStatus:
    path, look = f"{secret.path}/{action}", f"keyrotation why {secret}"
    found = await change(client, "POST", path, {"reason": reason}, look=look)
    if as_json:
        output.as_json(found)
    else:
        paused = "paused (repairs and emergencies still run)"
        output.echo(f"{secret} is {paused if found['paused'] else 'no longer paused'}.")
    return ExitStatus.OK
