"""How a person wants it done, and how consent is asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import typer

from .exit_status import Exit, Failed


@dataclass(frozen=True)
class Manner:
    """``agreed`` beforehand, by an option. ``key`` makes a repeat the same request."""

    as_json: bool
    dry_run: bool
    agreed: bool
    wait: bool = False
    key: str = ""

    def agree(self, question: str) -> None:
        """What cannot be taken back is not done by a slip of the finger. Raises Failed."""
        if self.agreed:
            return
        is_alone = self.as_json or not (sys.stdin.isatty() and sys.stdout.isatty())
        if is_alone:
            advice = "look at --dry-run, then add --yes"
            raise Failed(Exit.REFUSED, "nobody is there to agree", advice)
        if not typer.confirm(question):
            raise Failed(Exit.REFUSED, "nothing was done")
