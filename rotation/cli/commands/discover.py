"""The discover command."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Annotated, Any

import typer

from ...ops.discovery import Discovered
from ...ops.keyless import Keyless
from ...ops.management import MEANING, DiscoveredAccount, EnrolledSecret
from .. import output
from ..arguments import secret_name, vault_name
from ..clients.operator import operator_tools
from ..exit_status import CommandError, ExitStatus
from ..parameters import Json, Subscriptions
from ..run import run

COLUMNS = ("ACCOUNT", "KIND", "STATE", "SECRET", "REMARKS")


CSV_COLUMNS = ("account", "kind", "state", "vault", "secret", "key", "remarks")

Csv = Annotated[bool, typer.Option("--csv", help="Print the coverage as CSV.")]


def discover(
    subscription: Subscriptions = None, as_csv: Csv = False, as_json: Json = False
) -> None:
    """List every visible account and its management state (uses your own credentials)."""
    if as_csv and as_json:
        raise CommandError(ExitStatus.USAGE, "Give either --csv or --json.")
    show = _to_csv if as_csv else _print_json if as_json else _show
    run(_discover(subscription or (), show))


async def _discover(subscriptions: Sequence[str], show: Callable[[Discovered], None]) -> ExitStatus:
    async with operator_tools() as tools:
        with output.progress("accounts") as advance:
            found = await tools.discovery.discover(subscriptions, advance)
    show(found)
    return ExitStatus.ATTENTION if _needs_attention(found) else ExitStatus.OK


def _needs_attention(found: Discovered) -> bool:
    """Return whether something is wrong or could not be read."""
    unread = any(secret.unreadable for one in found.accounts for secret in one.secrets)
    return bool(found.problems) or unread or any(one.needs_attention for one in found.accounts)


def _show(found: Discovered) -> None:
    if found.accounts:
        output.table(COLUMNS, chain.from_iterable(map(_rows, found.accounts)))
    else:
        output.echo("No accounts are visible. Sign in (az login) with permission to read accounts.")
    for state in dict.fromkeys(one.state for one in found.accounts):
        output.echo(f"{state}: {MEANING[state]}")
    if found.key_like:
        names = ", ".join(secret_name(one.vault, one.name) for one in found.key_like)
        output.echo(
            f"Not enrolled, but named like keys: {names}",
            "  If one holds an account's key: keyrotation enrol ACCOUNT --secret NAME",
        )
    if found.keyless:
        output.echo("Consumers of these accounts could use Entra ID instead of keys:")
    for keyless in found.keyless:
        output.echo(*_keyless(keyless))
    for vault in found.other_vaults:
        output.echo(f"! {vault} is not in ROTATION_VAULTS, so secrets enrolled there are not shown")
    for problem in found.problems:
        output.echo(f"! {problem}")


def _rows(found: DiscoveredAccount) -> Iterator[tuple[str, ...]]:
    """Yield a row for the account with its first secret, then one for each other secret."""
    first, *others = map(_secret, found.secrets) if found.secrets else ("",)
    yield found.account.name, found.kind, found.state, first, "; ".join(found.remarks)
    for other in others:
        yield "", "", "", other, ""


def _secret(secret: EnrolledSecret) -> str:
    return f"{secret_name(secret.target.vault, secret.target.name)} ({_key(secret)})"


def _key(secret: EnrolledSecret) -> str:
    if secret.slot:
        return secret.slot
    return "?" if secret.unreadable else "neither key"


def _keyless(found: Keyless) -> Iterator[str]:
    """Yield the readers of an account's key, and the steps to stop using it."""
    if found.readers is None:
        yield f"  {found.account.name}: its readers are not known: {found.problem}"
    else:
        known = ", ".join(found.readers) or "nobody"
        yield f"  {found.account.name}: in the last 30 days its key was read by {known}"
    if found.needs_subdomain:
        yield "    first give the account its own subdomain: regional endpoints accept keys only"
    for command in found.commands():
        yield f"    {command}"
    if found.lists_keys:
        yield "    this role may also list the keys, so disable key authentication afterwards"


def _to_csv(found: Discovered) -> None:
    """Print a row for each secret, and for each account without one."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for one in found.accounts:
        account = (str(one.account), one.kind, one.state.value)
        for secret in one.secrets:
            target = vault_name(secret.target.vault), secret.target.name, _key(secret)
            writer.writerow((*account, *target, "; ".join(one.remarks)))
        if not one.secrets:
            writer.writerow((*account, "", "", "", "; ".join(one.remarks)))
    for problem in found.problems:
        output.error(f"! {problem}")


def _print_json(found: Discovered) -> None:
    output.as_json(_to_json(found))


def _to_json(found: Discovered) -> dict[str, Any]:
    accounts = [
        {
            "account": str(one.account),
            "kind": one.kind,
            "standing": one.state.value,
            "secrets": [{"secret": str(s.target), "slot": s.slot} for s in one.secrets],
            "remarks": list(one.remarks),
        }
        for one in found.accounts
    ]
    return {
        "accounts": accounts,
        "standings": MEANING,
        "keyLike": [str(target) for target in found.key_like],
        "otherVaults": list(found.other_vaults),
        "problems": list(found.problems),
        "keyless": [
            {
                "account": str(one.account),
                "role": one.role,
                "readers": None if one.readers is None else list(one.readers),
                "needsSubdomain": one.needs_subdomain,
                "problem": one.problem,
                "commands": one.commands(),
            }
            for one in found.keyless
        ],
    }
