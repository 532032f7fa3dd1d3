"""The table of commands, and the one place that maps exceptions to an exit status."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated

import typer

from .. import __version__
from . import output
from .clients.direct import LOCAL_JOURNAL
from .commands.answer import abandon, resume
from .commands.audit import app as audit
from .commands.config import app as config
from .commands.discover import discover
from .commands.doctor import doctor
from .commands.drill import drill
from .commands.enrol import enrol
from .commands.history import history
from .commands.hold import hold
from .commands.identify import identify
from .commands.pause import pause
from .commands.plan import plan
from .commands.readers import readers
from .commands.release import release
from .commands.rotate import emergency, rotate
from .commands.rotations import rotations
from .commands.status import status
from .commands.unenrol import unenrol
from .commands.watch import cancel, watch
from .commands.why import why
from .exit_status import CommandError, ExitStatus

COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Inspect": (status, why, plan, rotations, history, readers),
    "Set up": (doctor, discover, enrol, unenrol),
    "Rotate": (rotate, emergency, drill, identify, pause, hold, release),
    "A single rotation": (watch, cancel, resume, abandon),
}

PROGRAM = "keyrotation"  # completion works for this name only

app = typer.Typer(name=PROGRAM, no_args_is_help=True, pretty_exceptions_enable=False)

for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(config, name="config", rich_help_panel="Set up")
app.add_typer(audit, name="audit", rich_help_panel="Inspect")

# Typer does not export click.UsageError, so take it from BadParameter's bases.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def _print_version(wanted: bool) -> None:
    if wanted:
        output.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
    local_journal: Annotated[
        bool,
        typer.Option(
            "--local-journal", help="With --direct: keep the journal in .state, for a trial."
        ),
    ] = False,
) -> None:
    """Rotate the keys of Azure AI accounts and keep them in Key Vault.

    Commands call the deployed service (--url) or act directly with your own credentials (--direct).
    """
    if local_journal:
        os.environ.setdefault(LOCAL_JOURNAL, ".state")


def main() -> int:
    """Run the command line. Return the exit status; errors are printed, not raised."""
    try:
        return int(app(prog_name=PROGRAM, standalone_mode=False) or ExitStatus.OK)
    except CommandError as exc:
        output.error(str(exc), exc.remedy)
        return exc.status
    except typer.Abort:  # Ctrl-C at a prompt, which comes before any change
        output.error("Interrupted. Nothing was sent.")
        return ExitStatus.INTERRUPTED
    except KeyboardInterrupt:
        output.error("Interrupted.")
        return ExitStatus.INTERRUPTED
    except UsageError as exc:
        exc.show()  # type: ignore[attr-defined]
        return ExitStatus.USAGE
