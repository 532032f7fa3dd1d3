"""Who is asked for a right, by which call, and on whose behalf."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import FrameType

from emulator.azure import Azure
from emulator.identity import Principal
from emulator.wire import Request, Response

_ADAPTERS = "/rotation/adapters/"


@dataclass(frozen=True)
class Ask:
    """A right that a call needed; ``granted`` is the role and the scope that gave it, or empty."""

    action: str
    data: bool
    granted: tuple[str, str] | tuple[()] = ()


@dataclass(frozen=True)
class Call:
    """One call that the product made, by the adapter's method that made it."""

    method: str
    operation: str
    status: int
    asks: tuple[Ask, ...]


@dataclass
class Witness(Principal):
    """A principal that remembers what was asked of it."""

    asks: list[Ask] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def may(self, action: str, scope: str, *, data: bool = False) -> bool:
        for granted, role in self.assignments:
            one = Principal(self.name, assignments=[(granted, role)])
            if one.may(action, scope, data=data):
                self.asks.append(Ask(action, data, (role.name, granted)))
                return True
        self.asks.append(Ask(action, data))
        return False

    def note(self, operation: str, request: Request, response: Response) -> None:
        asks, self.asks = tuple(self.asks), []
        self.calls.append(Call(_method(), operation, response.status, asks))


def witness(azure: Azure) -> Witness:
    """In the place of the first principal, with its rights."""
    first = azure.identity.principals[0]
    found = Witness(first.name, assignments=list(first.assignments))
    azure.identity.principals[0] = found
    azure.exchanges.append(found.note)
    return found


def _method() -> str:
    """The outermost method of an adapter that is being executed; in process it is on the stack."""
    frame: FrameType | None = sys._getframe()
    found = ""
    while frame is not None:
        if _ADAPTERS in frame.f_code.co_filename:
            found = frame.f_code.co_qualname
        frame = frame.f_back
    return found
