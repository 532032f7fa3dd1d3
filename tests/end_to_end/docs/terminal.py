"""A terminal for pasted commands: bash, with a person who agrees to every question."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Terminal:
    """A directory and an environment in which commands run."""

    directory: Path
    environment: Mapping[str, str]

    def paste(self, text: str, *, until: str = "", seconds: float = 120.0) -> tuple[int, str]:
        """Run the text to its end; return its exit status and its output.

        With ``until``, press Ctrl-C once the output contains it.
        """
        with self.running(text) as command:
            if until:
                command.read(until, seconds)
                command.interrupt()
            command.read("", seconds)
            return command.process.wait(20), command.printed

    @contextmanager
    def running(self, text: str) -> Iterator[Command]:
        """Run the text; close the terminal at the end."""
        terminal, end = pty.openpty()
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.directory,
            env={**self.environment, "TERM": "dumb", "NO_COLOR": "1"},
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
        )
        os.close(end)
        os.write(terminal, b"y\n")
        try:
            yield Command(process, terminal)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            os.close(terminal)


@dataclass
class Command:
    """Commands that run in a terminal, and what they have printed."""

    process: subprocess.Popen[bytes]
    terminal: int
    printed: str = ""

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def is_running(self) -> bool:
        """Return whether a process of the terminal is left."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def read(self, until: str, seconds: float) -> None:
        """Read until the output contains a text, or to its end if the text is empty.

        Raises TimeoutError with the output.
        """
        end = time.monotonic() + seconds
        while not until or until not in self.printed:
            if time.monotonic() > end:
                raise TimeoutError(self.printed)
            ready, _, _ = select.select([self.terminal], [], [], 0.5)
            try:
                part = os.read(self.terminal, 65536) if ready else b""
            except OSError:  # every process has closed the terminal
                break
            self.printed += part.decode(errors="replace")
