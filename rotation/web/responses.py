"""HTTP answers: JSON, or problem details (RFC 9457) that say what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..domain.errors import Permanent, RotationError
from ..service.requests import AlreadyRunning

JSON = "application/json"

PROBLEM = "application/problem+json"

# Nothing of the API is a page, and none of it is kept by a browser or a proxy.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    mimetype: str = JSON

    def under(self, request_id: str) -> Answer:
        """With the headers that every answer has."""
        headers = {**HEADERS, **self.headers, "X-Request-Id": request_id}
        return replace(self, headers=headers)


def ok(body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(body), headers)


def accepted(body: Mapping[str, Any]) -> Answer:
    """202, and where to follow it."""
    return ok(body, 202, Location=str(body["status"]))


def problem(status: int, title: str, detail: str, **more: Any) -> Answer:
    """RFC 9457 problem details."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Answer(status, json.dumps(body), mimetype=PROBLEM)


def unknown() -> Answer:
    return problem(404, "Not found", "there is no rotation of this id; GET /api/rotations has all")


def failed(exc: RotationError) -> Answer:
    """What an error of the service means to whoever asked."""
    if isinstance(exc, AlreadyRunning):
        name = exc.operation_id
        running = {"id": name, "status": f"/api/rotations/{name}"}
        return problem(409, str(exc), exc.remedy, code=exc.code, rotation=running)
    if isinstance(exc, Permanent):
        status = 404 if exc.code == "NotEnrolled" else 409
        return problem(status, str(exc), exc.remedy, code=exc.code)
    return problem(503, "Try again", str(exc), code=exc.code)
