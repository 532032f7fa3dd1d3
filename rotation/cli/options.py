"""Options of commands that change something, and the confirmation prompt."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import typer

from . import interruption
from .exit_status import CommandError, ExitStatus


@dataclass(frozen=True)
class Options:
    """The options of a change. A repeat with the same ``key`` is the same request."""

    as_json: bool
    dry_run: bool
    assume_yes: bool
    wait: bool = False
    key: str = ""

    def confirm(self, question: str) -> None:
        """Ask for confirmation unless ``--yes`` was given. Raises CommandError if not confirmed."""
        if self.assume_yes:
            return
        if self.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise CommandError(
                ExitStatus.REFUSED,
                "Confirmation is required, but this is not an interactive terminal.",
                "Review with --dry-run, then add --yes.",
            )
        with interruption.at_once():
            confirmed = typer.confirm(question)
        if not confirmed:
            raise CommandError(ExitStatus.REFUSED, "Not confirmed. Nothing was changed.")
