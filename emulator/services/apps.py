"""Apps of other people, which read secrets: App Service apps and Container Apps.

Each answers a GET request to its host with the object that ``answer`` returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.identity import Identity, Principal
from ..core.wire import Request, Response


@dataclass
class App:
    """An app: its ARM id, its host and the audience of the tokens that it accepts.

    ``refreshed`` lists the refreshes and restarts through ARM. ``revisions`` says by name whether a
    revision is active; an App Service app has none.
    """

    id: str
    host: str
    audience: str = ""
    answer: Callable[[Mapping[str, str]], Mapping[str, Any]] = lambda headers: {}
    revisions: dict[str, bool] = field(default_factory=dict)
    refreshed: list[str] = field(default_factory=list)


@dataclass
class Apps:
    """All apps, by ARM id in lower case."""

    identity: Identity
    by_id: dict[str, App] = field(default_factory=dict)

    def add(self, app: App) -> App:
        self.by_id[app.id.lower()] = app
        return app

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        found = next((a for a in self.by_id.values() if a.host == request.host.lower()), None)
        return ("apps.ask", lambda: self._answer(request, found)) if found else None

    def _answer(self, request: Request, app: App) -> Response:
        caller = self.identity.bearer(request, (app.audience,))
        if app.audience and not isinstance(caller, Principal):
            return Response.of_json(401, {"error": {"code": "Unauthorized", "message": caller}})
        if request.method != "GET":
            return Response.of_json(405, {"error": {"code": "MethodNotAllowed", "message": ""}})
        return Response.of_json(200, dict(app.answer(request.headers)))
