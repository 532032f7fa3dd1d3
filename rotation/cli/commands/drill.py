"""The drill command: a rehearsed leak, with the time that it took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .. import output
from ..arguments import SecretArgument
from ..clients.protocol import ApiClient, call, change
from ..exit_status import CommandError, ExitStatus
from ..options import Options
from ..parameters import Direct, DryRun, Json, Reason, Secret, Url, Yes
from ..preview import preview, show_preview
from ..progress import JsonReport, TextReport, follow
from ..run import run_with_client

_READY = ("healthy", "due")  # states of a secret


def drill(
    secret: Secret,
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Rehearse a leak on an account marked for it, and measure the time."""
    argument, options = SecretArgument.parse(secret), Options(as_json, dry_run, yes)
    run_with_client(url, direct, lambda client: _drill(client, argument, reason, options))


async def _drill(
    client: ApiClient, secret: SecretArgument, reason: str, options: Options
) -> ExitStatus:
    leaked = await _key_in_use(client, secret)
    name = {"vault": secret.vault, "secret": secret.secret}
    body = {**name, "leaked": leaked.lower(), "drill": True, "reason": reason}
    await preview(client, "rotations", body, options, show_preview)
    if options.dry_run:
        return ExitStatus.OK
    options.confirm(f"Revoke {leaked}, which {secret} publishes, for a drill?")
    accepted = await change(client, "POST", "rotations", body, look="keyrotation rotations")
    report = _JsonReport() if options.as_json else _TextReport()
    return await follow(client, accepted["id"], report, until_end=False)


async def _key_in_use(client: ApiClient, secret: SecretArgument) -> str:
    """Return the slot that the secret publishes. Raises CommandError if it is not healthy."""
    found = (await call(client, "GET", secret.path))["secret"]
    if found["state"] not in _READY:
        text = f"A drill needs a healthy secret; {secret} is {found['state']}."
        raise CommandError(ExitStatus.REFUSED, text, f"Look: keyrotation why {secret}")
    if not found["slot"]:
        text = f"The service has not read yet which key {secret} holds."
        raise CommandError(ExitStatus.REFUSED, text, "Wait for the next sweep.")
    return str(found["slot"])


def seconds_to_refusal(found: Mapping[str, Any]) -> float | None:
    """Return the seconds from the request to the last proof; None if the key is not refused."""
    if "refusedAt" not in found:
        return None
    refused, requested = map(datetime.fromisoformat, (found["refusedAt"], found["requestedAt"]))
    return round((refused - requested).total_seconds(), 1)


class _TextReport(TextReport):
    def finish(self, found: Mapping[str, Any]) -> None:
        super().finish(found)
        seconds = seconds_to_refusal(found)
        if seconds is None:
            output.error("The drill has not shown that the old key is refused.")
            return
        output.echo(f"The old key was refused {seconds:g} s after the request (its last proof).")


class _JsonReport(JsonReport):
    def finish(self, found: Mapping[str, Any]) -> None:
        super().finish({**found, "secondsToRefusal": seconds_to_refusal(found)})
