"""The console blocks of a document, with what their commands print now."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.M | re.S)
_ID = re.compile(r"\b[0-9a-f]{16}-[0-9a-f]{12}\b")
_COMMAND = "python -m rotation "
_CUT = "…"


def renewed(text: str, environment: Mapping[str, str]) -> str:
    """The document with each block's commands run again, in order.

    An operation's id in a command becomes the last id that any command printed.
    """
    last = ""

    def block(found: re.Match[str]) -> str:
        nonlocal last
        lines = []
        for command in re.findall(r"^\$ (.+)$", found[0], re.M):
            asked = _ID.sub(last, command) if last else command
            printed = run(asked, environment)
            ids = _ID.findall(printed)
            last = ids[-1] if ids else last
            lines.append(f"$ {asked}\n{printed}")
        return "\n".join(lines)

    return _BLOCK.sub(block, text)


def run(command: str, environment: Mapping[str, str]) -> str:
    """What the command prints, with its exit status where that is not 0."""
    asked = command.replace("python -m", f"{shlex.quote(sys.executable)} -m", 1)
    done = subprocess.run(
        ["bash", "-c", asked],
        env=dict(environment),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
    return printed + (f"[exit status {done.returncode}]\n" if done.returncode else "")
