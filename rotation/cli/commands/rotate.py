"""The rotate and emergency commands. Both show a preview before they change anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from .. import output
from ..arguments import selection
from ..batch import BatchResult, follow_batch, show_batch
from ..clients.protocol import ApiClient, change
from ..exit_status import ExitStatus
from ..options import Options
from ..parameters import (
    All,
    Direct,
    DryRun,
    IdempotencyKey,
    Json,
    Reason,
    SecretOrAccount,
    Url,
    Vault,
    Wait,
    Yes,
)
from ..preview import preview, show_preview
from ..progress import JsonReport, TextReport, already_requested, follow
from ..run import run_with_client


def rotate(
    reason: Reason,
    what: SecretOrAccount = "",
    vault: Vault = "",
    everything: All = False,
    dry_run: DryRun = False,
    wait: Wait = True,
    yes: Yes = False,
    key: IdempotencyKey = "",
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Rotate now, with the usual overlap."""
    body = {"reason": reason, **selection(what, vault, everything)}
    options = Options(as_json, dry_run, yes, wait, key)
    run_with_client(url, direct, lambda client: _rotate(client, body, options))


def emergency(
    reason: Reason,
    what: SecretOrAccount = "",
    leaked: Annotated[str, typer.Option(help="The leaked key: key1, key2 or unknown.")] = "unknown",
    overlap: Annotated[
        str, typer.Option(help="Keep the leaked key valid for this long (ISO 8601, e.g. PT10M).")
    ] = "",
    now: Annotated[bool, typer.Option("--now", help="Wait for no secret.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Revoke even if no other key works.")
    ] = False,
    blind: Annotated[
        bool, typer.Option("--blind", help="Go on although no secret can be read.")
    ] = False,
    vault: Vault = "",
    everything: All = False,
    dry_run: DryRun = False,
    wait: Wait = True,
    yes: Yes = False,
    key: IdempotencyKey = "",
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Revoke a leaked key at once and publish a working one."""
    body = {"reason": reason, "leaked": leaked, **selection(what, vault, everything)}
    body |= {"overlap": overlap} if overlap else {}
    flags = {"now": now, "force": force, "blind": blind}
    body |= {name: True for name, is_set in flags.items() if is_set}
    options = Options(as_json, dry_run, yes, wait, key)
    run_with_client(url, direct, lambda client: _rotate(client, body, options))


async def _rotate(client: ApiClient, body: Mapping[str, Any], options: Options) -> ExitStatus:
    would = await preview(client, "rotations", body, options, show_preview)
    if options.dry_run:
        return ExitStatus.OK
    if "leaked" in body or not ("secret" in body or "account" in body):
        options.confirm(f"Proceed with {output.count(would['accounts'], 'account')}?")
    if body.get("all"):
        body = {**body, "confirm": would["accounts"]}
    return await _submit(client, body, options)


async def _submit(client: ApiClient, body: Mapping[str, Any], options: Options) -> ExitStatus:
    headers = {"Idempotency-Key": options.key} if options.key else {}
    look = "keyrotation rotations"
    accepted = await change(client, "POST", "rotations", body, headers=headers, look=look)
    finish = _finish_batch if "batch" in accepted else _finish_one
    return await finish(client, accepted, options)


async def _finish_one(
    client: ApiClient, accepted: Mapping[str, Any], options: Options
) -> ExitStatus:
    rotation = accepted["id"]
    if not options.as_json:
        repeated = accepted.get("repeated")
        output.echo(already_requested(rotation) if repeated else f"Accepted: {rotation}")
    if options.wait:
        report = JsonReport() if options.as_json else TextReport()
        return await follow(client, rotation, report, until_end=False)
    if options.as_json:
        output.as_json(accepted)
    else:
        output.echo(f"Follow it with: keyrotation watch {rotation}")
    return ExitStatus.OK


async def _finish_batch(
    client: ApiClient, accepted: Mapping[str, Any], options: Options
) -> ExitStatus:
    result = BatchResult()
    if options.wait:
        result = await follow_batch(client, accepted["batch"], len(accepted["rotations"]))
    if options.as_json:
        output.as_json({**accepted, "states": result.states, "notRevoked": [*result.not_revoked]})
    else:
        show_batch(accepted, result)
    return ExitStatus.FAILING if accepted["failed"] else result.status
