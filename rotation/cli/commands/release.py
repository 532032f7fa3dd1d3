"""The release command."""

from __future__ import annotations

from .. import output
from ..arguments import SecretArgument
from ..clients.protocol import ApiClient, change
from ..exit_status import ExitStatus
from ..options import Options
from ..parameters import Direct, DryRun, Json, Reason, Secret, Url, Yes
from ..preview import preview
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
    path, body = f"{secret.path}/release", {"reason": reason}
    await preview(client, path, body, options, lambda f: output.echo(f"{secret}: {f['will']}."))
    if options.dry_run:
        return ExitStatus.OK
    options.confirm("Proceed?")
    look = f"keyrotation why {secret}"
    found = await change(client, "POST", path, body, look=look)
    if options.as_json:
        output.as_json(found)
    else:
        output.echo(f"{secret} is released.")
    return ExitStatus.OK
