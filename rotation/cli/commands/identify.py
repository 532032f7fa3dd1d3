"""The identify command."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from typing import Any

from .. import output
from ..clients.protocol import ApiClient, call
from ..exit_status import CommandError, ExitStatus
from ..parameters import Direct, Json, Url
from ..run import run_with_client


def identify(url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Tell which account a found key belongs to. Reads the key from standard input."""
    key = _read_key()
    run_with_client(url, direct, lambda client: _identify(client, key, as_json=as_json))


def _read_key() -> str:
    """Return the key: an argument would be seen in the list of processes and in the history."""
    is_terminal = sys.stdin.isatty()
    key = (getpass.getpass("The key (not shown): ") if is_terminal else sys.stdin.read()).strip()
    if not key:
        raise CommandError(
            ExitStatus.USAGE, "No key given.", "Pipe it in: keyrotation identify < FILE"
        )
    return key


async def _identify(client: ApiClient, key: str, *, as_json: bool) -> ExitStatus:
    with output.progress("secrets and accounts") as advance:
        found = await call(client, "POST", "identify", {"key": key})
        unread = found["unread"]
        while not found["isComplete"]:
            advance(found["checked"], found["total"])
            body = {"key": key, "done": found["checked"]}
            found = await call(client, "POST", "identify", body)
            unread += found["unread"]
    found["unread"] = unread
    if as_json:
        output.as_json(found)
    else:
        _show(found)
    return ExitStatus.OK if found["found"] else ExitStatus.ATTENTION


def _show(found: Mapping[str, Any]) -> None:
    if not found["found"]:
        output.echo(f"It is not a key of the {found['total']} managed secrets and accounts.")
        if found["unread"]:
            output.echo(f"! {found['unread']} of them could not be read: keyrotation doctor")
        return
    members = ("account", "slot", "use", "phase")
    output.fields({name: found.get(name, "") for name in members})
    if found["use"] == "former":
        output.echo("It was replaced: the account no longer has it.")
        return
    slot = found["slot"].lower()
    output.echo(
        "Revoke it:",
        f"  keyrotation emergency {found['account']} --leaked {slot} --reason REASON",
    )
