"""Errors that a handler raises and ``dispatch`` turns into a response."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.access import Role


class BadRequest(ValueError):
    """The request is not valid; ``problems`` has one sentence for each invalid field."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class Forbidden(Exception):
    """The caller's role does not permit this request."""

    def __init__(self, role: Role, message: str) -> None:
        super().__init__(message)
        self.role = role
