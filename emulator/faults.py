"""Faults that can be put on any call, by the operation's name (``keyvault.set_secret``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

KINDS = ("answer", "drop", "late", "delay")


@dataclass
class Fault:
    """One fault. It hits ``times`` matching calls after the first ``skip`` ones.

    - ``answer``: ``status``, ``body`` and ``headers``, before the effect or (``after``) after it
    - ``drop``: the connection is closed without an answer, before the effect or after it
    - ``late``: the connection is closed now and the effect happens ``seconds`` later
    - ``delay``: the answer comes ``seconds`` later
    """

    kind: str
    operation: str = "*"
    match: str = "*"
    after: bool = False
    status: int = 503
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    times: int = 1
    skip: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is none of {', '.join(KINDS)}")

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Fault:
        """From JSON. Raises ValueError that names what is unknown."""
        unknown = set(members) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        try:
            return cls(**members)
        except TypeError as exc:
            raise ValueError(str(exc)) from None

    def hits(self, operation: str, url: str) -> bool:
        """Whether this call is one of those; counts it."""
        if not fnmatchcase(operation, self.operation) or not fnmatchcase(url, self.match):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


class Faults:
    """Those that are set now; used up ones vanish."""

    def __init__(self) -> None:
        self._set: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._set.append(fault)

    def clear(self) -> None:
        self._set.clear()

    def pending(self, operation: str, url: str) -> list[Fault]:
        """Those that match a call, without counting it."""
        return [
            fault
            for fault in self._set
            if fnmatchcase(operation, fault.operation) and fnmatchcase(url, fault.match)
        ]

    def take(self, operation: str, url: str) -> Fault | None:
        """The first fault that hits this call."""
        hit = next((fault for fault in self._set if fault.hits(operation, url)), None)
        self._set = [fault for fault in self._set if fault.times > 0]
        return hit
