"""Regenerates the console blocks of a document by running their commands."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.M | re.S)
_UNTIL = re.compile(r"(?<=--until )\d{4}-\d\d-\d\d(?=T)")
_ID = re.compile(r"\b[0-9a-f]{16}-[0-9a-f]{12}\b")


def regenerate(text: str, environment: Mapping[str, str]) -> str:
    """Run each block's commands in order and return the document with their output.

    A rotation's id in a command becomes the last id that any command printed, and the end of a hold
    is always six days ahead.
    """
    last, soon = "", f"{datetime.now(UTC) + timedelta(days=6):%Y-%m-%d}"

    def block(found: re.Match[str]) -> str:
        nonlocal last
        lines = []
        for command in re.findall(r"^\$ (.+)$", found[0], re.M):
            line = _UNTIL.sub(soon, _ID.sub(last, command) if last else command)
            printed = run(line, environment)
            ids = _ID.findall(printed)
            last = ids[-1] if ids else last
            lines.append(f"$ {line}\n{printed}")
        return "\n".join(lines)

    return _BLOCK.sub(block, text)


def run(command: str, environment: Mapping[str, str]) -> str:
    """Run a command. Return its output, with the exit status if that is not 0."""
    line = command.replace("python -m", f"{shlex.quote(sys.executable)} -m", 1)
    done = subprocess.run(
        ["bash", "-c", line],
        env=dict(environment),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.lstrip().splitlines())
    return printed + (f"[exit status {done.returncode}]\n" if done.returncode else "")
