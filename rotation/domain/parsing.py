"""Parses named texts: tags, settings and the fields of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from .redaction import redact

T = TypeVar("T")


class TextReader:
    """Parses values one by one and collects every problem in ``problems``.

    ``prefix`` precedes the name of a value in its problem. A problem never contains a key.
    """

    def __init__(self, values: Mapping[str, object], prefix: str = "") -> None:
        self._values, self._prefix = values, prefix
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        """Return a text without surrounding blanks; empty if it is absent or not a text."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            self.report(name, "must be a string")
        return value.strip() if isinstance(value, str) else ""

    def parse(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """Return the parsed text, or ``default`` if it is absent, blank or not valid.

        ``parse`` raises ValueError with the problem.
        """
        text = self.text(name)
        try:
            return parse(text) if text else default
        except ValueError as exc:
            self.report(name, redact(str(exc)))
            return default

    def report(self, name: str, problem: str) -> None:
        """Add a problem."""
        self.problems.append(f"{self._prefix}{name}: {problem}")
