"""An operator's own hands: the service's routes, run in this process with the same journal.

For when the function is down, or not deployed yet. Azure decides what the operator may; the lease
and the compare-and-swap keep this process and the function out of each other's way.
"""

from __future__ import annotations

import getpass
import os
import re
import uuid
from dataclasses import dataclass

from ...domain.access import Caller, Role
from ...service.commands import Console
from ...settings.environment import BadSettings, Settings, load
from ...web.dispatch import admit
from ...web.requests import Request
from ...web.routes import ROUTES, Route
from ..exit_status import Exit, Failed
from .protocol import Question


@dataclass
class Direct:
    """Every route, with every role: rights are those of the operator's credential."""

    console: Console

    @classmethod
    def of_environment(cls) -> Direct:
        """Raises Failed where the settings are not those of the function."""
        from ...bootstrap import build

        return cls(build(settings(), by_hand=True))

    async def send(self, asked: Question) -> tuple[int, str]:
        route, params = _match(asked.method, asked.path)
        caller = Caller(f"{getpass.getuser()} (direct)", frozenset(Role), uuid.uuid4().hex)
        url = f"https://direct/api/{asked.path}"
        request = Request(asked.method, url, asked.headers, params, asked.query, asked.body)
        answer = await admit(route, request, caller, lambda: self.console)
        return answer.status, answer.body

    async def close(self) -> None:
        await self.console.triggers.close()


def settings() -> Settings:
    """The function's own settings from the environment, but with the operator's credential.

    Raises Failed.
    """
    environment = {"ROTATION_CREDENTIAL": "developer", **os.environ}
    try:
        return load(environment)
    except BadSettings as exc:
        advice = "with --direct the environment has the same settings as the function app"
        raise Failed(Exit.USAGE, str(exc), advice) from None


def _match(method: str, path: str) -> tuple[Route, dict[str, str]]:
    for route in ROUTES:
        found = _pattern(route.path).fullmatch(path)
        if found and route.method == method:
            return route, found.groupdict()
    raise LookupError(f"no route for {method} {path}")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))
