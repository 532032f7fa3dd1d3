"""The commands and their options. Each is a few lines: what it does is in the module it calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any

import typer

from . import output as screen
from .arguments import Target, slot, wanted
from .clients.connect import reaching
from .clients.protocol import Reach
from .commands import change as asking
from .commands import discover as discovering
from .commands import enrol as enrolling
from .commands import inspect as looking
from .commands.enrol import Enrolling
from .exit_status import Exit, Failed
from .follow import follow
from .options import Manner

app = typer.Typer(
    name="rotation",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Rotates the keys of Azure AI accounts and keeps them in Key Vault. "
    "Commands ask the deployed service (--url), or act by themselves (--direct).",
)

Url = Annotated[str, typer.Option(envvar="ROTATION_URL", help="where the function app is")]

Direct = Annotated[
    bool, typer.Option("--direct", help="with your own sign-in, without the function app")
]

Json = Annotated[bool, typer.Option("--json", help="JSON, as the API answers it")]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="agree to what is foretold")]

DryRun = Annotated[bool, typer.Option("--dry-run", help="only say what would happen")]

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="stay and watch")]

Reason = Annotated[str, typer.Option("--reason", "-r", help="why; it goes into the audit trail")]

Secret = Annotated[str, typer.Argument(metavar="VAULT/SECRET", help="a secret")]

What = Annotated[str, typer.Argument(metavar="[VAULT/SECRET|ACCOUNT]", help="a secret, or an id")]

Vault = Annotated[str, typer.Option("--vault", help="a whole vault instead")]

All = Annotated[bool, typer.Option("--all", help="everything instead")]

Id = Annotated[str, typer.Argument(metavar="ID", help="the rotation's id")]

Subscriptions = Annotated[
    list[str] | None, typer.Option("--subscription", help="only this one; may be repeated")
]

Key = Annotated[str, typer.Option("--idempotency-key", help="a repeat returns the same rotation")]


@app.command()
def status(url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """The fleet: every secret's state. Exit status 0 healthy, 1 attention, 2 failing."""
    _run(url, direct, lambda reach: looking.status(reach, as_json=as_json))


@app.command()
def why(secret: Secret, url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Which gate holds a secret's next step, and until when."""
    target = Target.parse(secret)
    _run(url, direct, lambda reach: looking.why(reach, target, as_json=as_json))


@app.command()
def plan(url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """What the next sweep would do, and why."""
    _run(url, direct, lambda reach: looking.plan(reach, as_json=as_json))


@app.command()
def history(secret: Secret, url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """A secret's versions and rotations: who asked, why, and what was done when."""
    target = Target.parse(secret)
    _run(url, direct, lambda reach: looking.history(reach, target, as_json=as_json))


@app.command()
def doctor(url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Whether everything is there that a rotation needs; each finding with what mends it."""
    _run(url, direct, lambda reach: looking.doctor(reach, as_json=as_json))


@app.command()
def discover(subscription: Subscriptions = None, as_json: Json = False) -> None:
    """Every account that you can see, and how it stands to the rotation. With your own sign-in."""
    _finish(discovering.discover(subscription or (), as_json=as_json))


@app.command()
def enrol(
    which: Annotated[str, typer.Argument(metavar="ACCOUNT", help="an id, a name, or a pattern")],
    in_use: Annotated[str, typer.Option(help="which key consumers use now: key1 or key2")] = "",
    vault: Annotated[str, typer.Option("--vault", help="where its secret is to be")] = "",
    secret: Annotated[str, typer.Option(help="the secret's name; else ACCOUNT-key")] = "",
    validity_days: Annotated[int, typer.Option(help="how long a key is valid", min=1)] = 90,
    subscription: Subscriptions = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Hand accounts to the rotation: a secret from the key in use, and tags. Own sign-in."""
    asked = Enrolling(
        which,
        subscription or (),
        vault,
        secret,
        timedelta(days=validity_days),
        slot(in_use),
    )
    _finish(enrolling.enrol(asked, Manner(as_json, dry_run, yes)))


@app.command()
def rotate(
    reason: Reason,
    what: What = "",
    vault: Vault = "",
    everything: All = False,
    dry_run: DryRun = False,
    wait: Wait = True,
    yes: Yes = False,
    key: Key = "",
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Rotate now, with the usual overlap."""
    body = {"reason": reason, **wanted(what, vault, everything)}
    how = Manner(as_json, dry_run, yes, wait, key)
    _run(url, direct, lambda reach: asking.rotate(reach, body, how))


@app.command()
def emergency(
    reason: Reason,
    what: What = "",
    leaked: Annotated[
        str, typer.Option(help="which key leaked: key1, key2 or unknown")
    ] = "unknown",
    overlap: Annotated[str, typer.Option(help="ISO 8601; none unless you ask for one")] = "",
    vault: Vault = "",
    everything: All = False,
    dry_run: DryRun = False,
    wait: Wait = True,
    yes: Yes = False,
    key: Key = "",
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """A key has leaked: publish the other one and revoke it at once."""
    body = {"reason": reason, "leaked": leaked, **wanted(what, vault, everything)}
    body |= {"overlap": overlap} if overlap else {}
    how = Manner(as_json, dry_run, yes, wait, key)
    _run(url, direct, lambda reach: asking.rotate(reach, body, how))


@app.command()
def watch(name: Id, url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Follow a rotation until it ends."""
    _run(url, direct, lambda reach: follow(reach, name, as_json=as_json, leave=False))


@app.command()
def cancel(
    name: Id, reason: Reason, url: Url = "", direct: Direct = False, as_json: Json = False
) -> None:
    """End a rotation that has changed nothing yet."""
    _run(url, direct, lambda reach: asking.cancel(reach, name, reason, as_json=as_json))


@app.command()
def resume(
    name: Id,
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
    wait: Wait = True,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Go on with a rotation that stopped and asked for a person."""
    how = Manner(as_json, dry_run, yes, wait)
    _run(url, direct, lambda reach: asking.answer(reach, name, "resume", reason, how))


@app.command()
def abandon(
    name: Id,
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """End a rotation that stopped; both keys stay as they are."""
    how = Manner(as_json, dry_run, yes, wait=True)
    _run(url, direct, lambda reach: asking.answer(reach, name, "abandon", reason, how))


@app.command()
def pause(
    secret: Secret,
    reason: Reason,
    off: Annotated[bool, typer.Option("--off", help="no longer")] = False,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Hold a secret's scheduled rotations back, or (--off) no longer."""
    target = Target.parse(secret)
    _run(
        url,
        direct,
        lambda reach: asking.pause(reach, target, reason, held=not off, as_json=as_json),
    )


def _run(url: str, direct: bool, command: Callable[[Reach], Awaitable[Exit]]) -> None:
    async def run() -> Exit:
        async with reaching(url, direct) as reach:
            return await command(reach)

    _finish(run())


def _finish(command: Coroutine[Any, Any, Exit]) -> None:
    raise typer.Exit(asyncio.run(command))


# Typer shows the base of its usage errors only as the base of this one.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def main() -> int:
    """The one place where what goes wrong becomes words and an exit status."""
    try:
        return int(app(standalone_mode=False) or Exit.OK)
    except Failed as failed:
        screen.warn(str(failed), failed.remedy)
        return failed.status
    except (typer.Abort, KeyboardInterrupt):
        screen.warn("stopped; what was asked for goes on in the service")
        return Exit.REFUSED
    except UsageError as exc:
        exc.show()  # type: ignore[attr-defined]
        return Exit.USAGE
