"""A clean checkout, whose ``make`` uses the environment that is already installed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .blocks import ROOT


class Checkout:
    """A copy of this repository without the files that git ignores."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "checkout"
        ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
        shutil.copytree(ROOT, self.directory, ignore=shutil.ignore_patterns(".git", *ignored))
        (self.directory / ".venv").symlink_to(sys.prefix, target_is_directory=True)
        self._programs = directory / "programs"
        self._replace_make()

    def _replace_make(self) -> None:
        """Let ``make`` consider .venv as ready; everything else is make's own."""
        self._programs.mkdir()
        make = self._programs / "make"
        make.write_text(f'#!/bin/sh\nexec {shutil.which("make")} --old-file .venv/ready "$@"\n')
        make.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a new terminal, in which the checkout's own code is imported."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = f"{self._programs}:{os.environ['PATH']}"
        return {**kept, "PATH": path, "PYTHONPATH": str(self.directory), "LOGNAME": "ada"}
