"""The release command."""

from __future__ import annotations

from .. import output
from ..arguments import SecretArgument
from ..clients.protocol import ApiClient, call, change
from ..exit_status import ExitStatus
from ..options import Options
from ..parameters import Direct, DryRun, Json, Reason, Secret, Url, Yes
from ..run import run_with_client


def release(
    secret: Secret,
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Confirm that nobody needs the key of a secret without a binding."""
    argument, options = SecretArgument.parse(secret), Options(as_json, dry_run, yes, wait=False)
    run_with_client(url, direct, lambda client: _release(client, argument, reason, options))


async def _release(
    client: ApiClient, secret: SecretArgument, reason: str, options: Options
) -> ExitStatus:
    path = f"{secret.path}/release"
    preview = await call(client, "POST", path, {"reason": reason, "dry_run": True})
    if not options.as_json:
        output.echo(f"{secret}: {preview['will']}.")
    elif options.dry_run:
        output.as_json(preview)
    if options.dry_run:
        return ExitStatus.OK
    options.confirm("Proceed?")
    look = f"keyrotation why {secret}"
    found = await change(client, "POST", path, {"reason": reason}, look=look)
    if options.as_json:
        output.as_json(found)
    else:
        output.echo(f"{secret} is released.")
    return ExitStatus.OK
