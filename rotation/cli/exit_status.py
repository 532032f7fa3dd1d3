"""Exit statuses, and the one error that carries them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit status means; docs/cli.md has the table."""

    OK = 0
    ATTENTION = 1
    FAILING = 2
    REFUSED = 3
    UNREACHABLE = 4
    USAGE = 64


class Failed(Exception):
    """Ends a command. The message says what went wrong; ``remedy`` what to do next."""

    def __init__(self, status: Exit, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.status, self.remedy = status, remedy


def refused(status: int, problem: dict[str, object]) -> Failed:
    """What an HTTP status of the API means to whoever sits at the terminal (RFC 9457 body)."""
    title, detail = str(problem.get("title", status)), str(problem.get("detail", ""))
    if status == 401:
        detail = detail or "sign in: az login"
    if status >= 500:
        return Failed(Exit.UNREACHABLE, title, detail)
    return Failed(Exit.USAGE if status == 400 else Exit.REFUSED, title, detail)
