"""Custom topics, which keep the events that they receive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...core import clouds
from ...core.clouds import PUBLIC, Cloud
from ...core.identity import Identity, Principal
from ...core.wire import Headers, Request, Response

MAX_BYTES = 1024 * 1024
_CLOUD = {"id", "source", "type", "specversion"}
_GRID = {"id", "subject", "eventType", "eventTime", "dataVersion"}


@dataclass
class CustomTopics:
    """Topics by host."""

    identity: Identity
    scopes: dict[str, str] = field(default_factory=dict)
    received: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, name: str, region: str = "westeurope", cloud: Cloud = PUBLIC) -> str:
        """Add a topic; return its endpoint."""
        host = f"{name.lower()}.{region}-1.{cloud.events}"
        self.scopes[host] = self.id_of(name)
        self.received[host] = []
        return f"https://{host}/api/events"

    def id_of(self, name: str) -> str:
        """Return the scope of a topic's role assignments; topics here are in no resource group."""
        return f"/providers/Microsoft.EventGrid/topics/{name}"

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        cloud = clouds.of_topic(request.host)
        if cloud is None:
            return None
        return "eventgrid.publish", lambda: self._publish(request, cloud)

    def _publish(self, request: Request, cloud: Cloud) -> Response:
        host = request.host
        if host not in self.received or request.path.rstrip("/") != "/api/events":
            return _error(404, "NotFound", "There is no such topic.")
        if request.method != "POST":
            return _error(405, "MethodNotAllowed", "Only POST is allowed.")
        caller = self.identity.bearer(request, [f"https://{cloud.events}"])
        if not isinstance(caller, Principal):
            return _error(401, "Unauthorized", "The request has no valid authorization.")
        if not caller.may("Microsoft.EventGrid/events/send/action", self.scopes[host], data=True):
            return _error(403, "Forbidden", "The principal does not have events/send/action.")
        if len(request.body) > MAX_BYTES:
            return _error(413, "PayloadTooLarge", "The events are larger than 1 MB.")
        return self._keep(host, request)

    def _keep(self, host: str, request: Request) -> Response:
        kind = str(request.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
        try:
            body = request.json()
        except ValueError:
            return _error(400, "BadRequest", "The body is not valid JSON.")
        events = body if isinstance(body, list) else [body]
        required = _CLOUD if "cloudevents" in kind else _GRID
        for event in events:
            if not isinstance(event, dict) or not required <= set(event):
                names = ", ".join(sorted(required))
                return _error(400, "BadRequest", f"An event needs the members {names}.")
        self.received[host].extend(events)
        return Response(200, Headers({"Content-Length": "0"}))


def _error(status: int, code: str, message: str) -> Response:
    return Response.of_json(status, {"error": {"code": code, "message": message}})
