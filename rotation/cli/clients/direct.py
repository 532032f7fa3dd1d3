"""Runs the API's routes in this process, against the same journal.

For when the function app is down or not deployed yet. Azure decides what the operator may do; the
lease and the compare-and-swap prevent conflicts with the function app.
"""

from __future__ import annotations

import getpass
import os
import re
import uuid
from dataclasses import dataclass

from ...bootstrap.assembly import build
from ...domain.access import Caller, Role
from ...service.service import Service
from ...web.dispatch import dispatch
from ...web.requests import HttpRequest
from ...web.routes import ROUTES, Route
from ..exit_status import CommandError, ExitStatus
from .operator import load_settings
from .protocol import ApiRequest

LOCAL_JOURNAL = "ROTATION_JOURNAL"  # a directory


@dataclass
class DirectClient:
    """A client with every role: only the operator's permissions in Azure limit it."""

    service: Service

    @classmethod
    def from_environment(cls) -> DirectClient:
        """Build the service from the environment.

        Raises CommandError for bad settings, and for a journal that the service would not see.
        """
        settings = load_settings()
        if settings.storage is None and not os.environ.get(LOCAL_JOURNAL):
            raise CommandError(
                ExitStatus.USAGE,
                "The service's journal is not configured, so its rotations would not be seen.",
                "Set AzureWebJobsStorage__accountName to the service's storage account; you need "
                "the role Storage Blob Data Contributor there. For a trial without a service: "
                "keyrotation --local-journal …",
            )
        return cls(build(settings, in_process=True))

    async def send(self, request: ApiRequest) -> tuple[int, str]:
        route, params = _match(request.method, request.path)
        caller = Caller(f"{getpass.getuser()} (direct)", frozenset(Role), uuid.uuid4().hex)
        url = f"https://direct/api/{request.path}"
        incoming = HttpRequest(
            request.method, url, request.headers, params, request.query, request.body
        )
        response = await dispatch(route, incoming, caller, lambda: self.service)
        return response.status, response.body

    async def close(self) -> None:
        await self.service.close()


def _match(method: str, path: str) -> tuple[Route, dict[str, str]]:
    for route in ROUTES:
        match = _pattern(route.path).fullmatch(path)
        if match and route.method == method:
            return route, match.groupdict()
    raise LookupError(f"no route for {method} {path}")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))
