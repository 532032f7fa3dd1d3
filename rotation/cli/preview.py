"""Shows what a request would do, before it is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import output
from .arguments import account_name
from .clients.protocol import ApiClient, call
from .options import Options

MAX_SHOWN = 5  # accounts


async def preview(
    client: ApiClient,
    path: str,
    body: Mapping[str, Any],
    options: Options,
    show: Callable[[Mapping[str, Any]], None],
) -> Mapping[str, Any]:
    """Return the reply to a dry run, and show it: as text, or as JSON if nothing follows."""
    found: Mapping[str, Any] = await call(client, "POST", path, {**body, "dry_run": True})
    if not options.as_json:
        show(found)
    elif options.dry_run:
        output.as_json(found)
    return found


def show_preview(preview: Mapping[str, Any]) -> None:
    """Print the reply to a dry run of a request."""
    accounts, secrets = preview["accounts"], preview["secrets"]
    output.echo(
        f"Affects {output.count(accounts, 'account')} and {output.count(secrets, 'secret')}."
    )
    for would in preview["would"][:MAX_SHOWN]:
        account = account_name(would["account"])
        output.echo(f"{account}: {would['reason']}" if would["reason"] else account)
        output.steps(would["effects"])
    more = accounts - min(len(preview["would"]), MAX_SHOWN)
    if more > 0:
        output.echo(f"… and {output.count(more, 'more account')}")
