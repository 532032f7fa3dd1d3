"""The environment of the command line: a file to source, and what to tell the reader."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..proxy.server import Proxy

INTRODUCTION = """\
The emulated Azure and the function app are running. Ctrl-C stops both.

Dashboard:     {dashboard}
Function key:  ROTATION_FUNCTION_KEY={key}
Environment:   {path}

In a second terminal, in this directory:

  source {path}
  keyrotation status
"""


@dataclass(frozen=True)
class Environment:
    """The variables that lead a client to the emulated Azure and to the function app."""

    variables: Mapping[str, str]

    @classmethod
    def of(cls, proxy: Proxy, host: Mapping[str, Any]) -> Environment:
        service = {
            "ROTATION_URL": host["url"],
            "ROTATION_FUNCTION_KEY": host["function_key"],
            "ROTATION_CREDENTIAL": "managed",
        }
        return cls(proxy.environment | proxy.azure.settings() | service)

    @property
    def dashboard(self) -> str:
        """The address of the dashboard, with the function key."""
        key = self.variables["ROTATION_FUNCTION_KEY"]
        return f"{self.variables['ROTATION_URL']}/api/dashboard?code={key}"

    @property
    def script(self) -> str:
        """The shell commands that set the variables and find ``keyrotation``."""
        lines = [f"export {name}={shlex.quote(text)}" for name, text in self.variables.items()]
        programs = shlex.quote(str(Path(sys.executable).parent))
        return "\n".join([*lines, f'export PATH={programs}:"$PATH"', ""])

    @contextmanager
    def written(self, path: Path) -> Iterator[Environment]:
        """Keep the variables in a file to source, which only its owner can read."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.script)
        try:
            yield self
        finally:
            path.unlink(missing_ok=True)

    def introduction(self, path: Path) -> str:
        """Return the text that tells a person what runs, and what to do next."""
        return INTRODUCTION.format(
            dashboard=self.dashboard,
            key=self.variables["ROTATION_FUNCTION_KEY"],
            path=shlex.quote(str(path)),
        )
