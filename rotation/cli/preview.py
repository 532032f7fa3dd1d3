"""Prints what a request would do, account by account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import output
from .arguments import account_name

MAX_SHOWN = 5  # accounts


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
