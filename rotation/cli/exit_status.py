"""Exit statuses, and the one error that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit status of a command; docs/cli.md explains each."""

    OK = 0
    ATTENTION = 1
    FAILING = 2
    REFUSED = 3
    UNREACHABLE = 4
    USAGE = 64
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends a command. The message says what went wrong, ``remedy`` what to do next."""

    def __init__(self, status: ExitStatus, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.status, self.remedy = status, remedy


def from_problem(status: int, problem: Mapping[str, object]) -> CommandError:
    """Convert an HTTP error status and its RFC 9457 body to a CommandError."""
    title, detail = str(problem.get("title", status)), str(problem.get("detail", ""))
    if status == 401:
        detail = detail or "Sign in: az login"
    if status >= 500:
        return CommandError(ExitStatus.UNREACHABLE, title, detail)
    running = problem.get("rotation")
    if isinstance(running, Mapping):
        detail = f"Follow it with: keyrotation watch {running['id']}"
    exit_status = ExitStatus.USAGE if status == 400 else ExitStatus.REFUSED
    return CommandError(exit_status, title, detail)
