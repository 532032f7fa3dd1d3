"""Records which call of which adapter needed which right."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType

from emulator.azure import Azure
from emulator.core.identity import Principal
from emulator.core.wire import Request, Response

_ADAPTERS = "rotation.adapters."
_CLIENT = re.compile(r"(azure\.(?!core)[a-z.]+?)\.(?:aio|_)")


@dataclass(frozen=True)
class Ask:
    """A right that a call needed. Role and scope are empty if no assignment grants it."""

    action: str
    role: str = ""
    scope: str = ""


@dataclass(frozen=True)
class Call:
    """A call: the adapter's method, the SDK's package and function, and the rights it needed."""

    made_by: str
    package: str
    function: str
    operation: str
    status: int
    asks: tuple[Ask, ...]


@dataclass
class Witness(Principal):
    """A principal that records the calls made as it."""

    asks: list[Ask] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def may(self, action: str, scope: str, *, data: bool = False) -> bool:
        for granted, role in self.assignments:
            if Principal("", assignments=[(granted, role)]).may(action, scope, data=data):
                self.asks.append(Ask(action, role.name, granted))
                return True
        self.asks.append(Ask(action))
        return False

    def note(self, operation: str, request: Request, response: Response) -> None:
        asks, self.asks = tuple(self.asks), []
        self.calls.append(Call(*_origin(), operation, response.status, asks))


def witness(azure: Azure) -> Witness:
    """Replace the first principal by a witness with the same rights."""
    first = azure.identity.principals[0]
    found = Witness(first.name, assignments=list(first.assignments))
    azure.identity.principals[0] = found
    azure.exchanges.append(found.note)
    return found


def _origin() -> tuple[str, str, str]:
    """Return the adapter's outermost method on the stack, and the SDK's package and function.

    In process, and with the stack of awaiting coroutines, both are there. Where an SDK fetches a
    page, it is the function that made the iterator.
    """
    made_by, package, function = "", "", ""
    for frame in _stack():
        module, name = str(frame.f_globals.get("__name__")), frame.f_code.co_qualname
        client = _CLIENT.match(module)
        if module.startswith(_ADAPTERS):
            made_by = name
        elif client and not made_by:
            package, function = client[1], name.partition(".<locals>")[0].rpartition(".")[2]
    return made_by, package, function


def _stack() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back
