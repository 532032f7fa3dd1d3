"""Faults for any call, by the operation's name (``keyvault.set_secret``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from .clock import Clock
from .wire import Dropped, Headers, Request, Response

KINDS = ("answer", "drop", "late", "delay")


@dataclass
class Fault:
    """One fault. It hits ``times`` matching calls, after the first ``skip`` of them.

    Calls match by operation, method and URL, each a pattern with ``*``.

    - ``answer``: respond with ``status``, ``body`` and ``headers``, before the effect or after it
    - ``drop``: close the connection without a response, before the effect or after it
    - ``late``: close the connection now; the effect happens ``seconds`` later
    - ``delay``: respond ``seconds`` later

    ``after`` chooses after the effect.
    """

    kind: str
    operation: str = "*"
    match: str = "*"
    method: str = "*"
    after: bool = False
    status: int = 503
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    times: int = 1
    skip: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is not one of {', '.join(KINDS)}")

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Fault:
        """Return a fault from JSON members. Raises ValueError for unknown ones."""
        unknown = set(members) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        try:
            return cls(**members)
        except TypeError as exc:
            raise ValueError(str(exc)) from None

    def matches(self, operation: str, request: Request) -> bool:
        """Return whether the patterns match a call."""
        return (
            fnmatchcase(operation, self.operation)
            and fnmatchcase(request.method, self.method)
            and fnmatchcase(request.url, self.match)
        )

    def hits(self, operation: str, request: Request) -> bool:
        """Return whether the fault hits this call, and count the call."""
        if not self.matches(operation, request):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


class Faults:
    """Active faults; exhausted ones are removed."""

    def __init__(self) -> None:
        self._set: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._set.append(fault)

    def clear(self) -> None:
        self._set.clear()

    def peek(self, operation: str, request: Request) -> Fault | None:
        """Return what ``take`` would return, without counting the call."""
        return next((f for f in self._set if not f.skip and f.matches(operation, request)), None)

    def take(self, operation: str, request: Request) -> Fault | None:
        """Return the first fault that hits this call, and count the call."""
        if not self._set:
            return None
        hit = next((fault for fault in self._set if fault.hits(operation, request)), None)
        self._set = [fault for fault in self._set if fault.times > 0]
        return hit


def respond(fault: Fault | None, effect: Callable[[], Response], clock: Clock) -> Response:
    """Return the response to a call that a fault may hit. Raises Dropped if there is none."""
    if fault is None or fault.kind == "delay":
        return effect()
    if fault.kind == "late":
        clock.schedule(clock.now() + timedelta(seconds=fault.seconds), lambda: (effect(), None)[1])
        raise Dropped("the effect comes late")
    if fault.after:
        effect()
    if fault.kind == "drop":
        raise Dropped("a fault drops the connection")
    if isinstance(fault.body, str):
        return Response(fault.status, Headers(fault.headers), fault.body.encode())
    error = {"error": {"code": "Fault", "message": "a fault was put on this call"}}
    body = error if fault.body is None else fault.body
    return Response.of_json(fault.status, body, dict(fault.headers))
