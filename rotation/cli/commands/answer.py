"""The resume and abandon commands: an operator's answer to a blocked rotation."""

from __future__ import annotations

from .. import output
from ..clients.protocol import ApiClient, change
from ..exit_status import ExitStatus
from ..options import Options
from ..parameters import Direct, DryRun, Json, Reason, RotationId, Url, Wait, Yes
from ..preview import preview
from ..progress import TextReport, follow
from ..run import run_with_client


def resume(
    rotation: RotationId,
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
    wait: Wait = True,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Resume a blocked rotation."""
    options = Options(as_json, dry_run, yes, wait)
    run_with_client(
        url, direct, lambda client: _answer(client, rotation, "resume", reason, options)
    )


def abandon(
    rotation: RotationId,
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Abandon a blocked rotation and leave both keys unchanged."""
    options = Options(as_json, dry_run, yes, wait=True)
    run_with_client(
        url, direct, lambda client: _answer(client, rotation, "abandon", reason, options)
    )


async def _answer(
    client: ApiClient, rotation: str, answer: str, reason: str, options: Options
) -> ExitStatus:
    path, body = f"rotations/{rotation}/{answer}", {"reason": reason}
    await preview(client, path, body, options, lambda f: output.echo(f"{answer}: {f['will']}"))
    if options.dry_run:
        return ExitStatus.OK
    options.confirm("Proceed?")
    look = f"keyrotation watch {rotation}"
    accepted = await change(client, "POST", path, body, look=look)
    if options.as_json:
        output.as_json(accepted)
        return ExitStatus.OK
    if not options.wait:
        return ExitStatus.OK
    return await follow(client, rotation, TextReport(), until_end=False)
