"""HTTP responses: JSON, or problem details (RFC 9457) with a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from msgspec import Struct

from ..domain.errors import Permanent, RotationError
from ..service.fleet_hold import OUT_OF_RANGE
from ..service.idempotency import REUSED
from ..service.identification import TOO_OFTEN
from ..service.replies.rotation import AcceptedReply, AnsweredReply, BatchReply
from ..service.requests import UNKNOWN_ACCOUNT, AlreadyRunning
from .bodies import ProblemReply, RunningReply

JSON = "application/json"

PROBLEM = "application/problem+json"

# API responses are not documents and must not be cached.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_STATUSES = {"NotEnrolled": 404, UNKNOWN_ACCOUNT: 404, REUSED: 422, OUT_OF_RANGE: 400}


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    mimetype: str = JSON

    def with_headers(self, request_id: str) -> Response:
        """Return the response with the headers that every response has."""
        headers = {**HEADERS, **self.headers, "X-Request-Id": request_id}
        return replace(self, headers=headers)


def ok(body: Struct, status: int = 200, **headers: str) -> Response:
    """Return a response with a JSON body."""
    return Response(status, _encode(body), headers)


def accepted(body: AcceptedReply | BatchReply | AnsweredReply) -> Response:
    """Return 202 with the URL that reports the progress."""
    return ok(body, 202, Location=body.status)


def problem(status: int, title: str, detail: str, **more: Any) -> Response:
    """Return problem details (RFC 9457)."""
    body = ProblemReply(type="about:blank", title=title, status=status, detail=detail, **more)
    return Response(status, _encode(body), mimetype=PROBLEM)


def unknown_rotation() -> Response:
    """Return 404 for an unknown rotation."""
    detail = "No rotation has this id; list them with GET /api/rotations."
    return problem(404, "Not found", detail)


def from_error(exc: RotationError) -> Response:
    """Map a service error to an HTTP response."""
    if isinstance(exc, AlreadyRunning):
        name = exc.operation_id
        running = RunningReply(id=name, status=f"/api/rotations/{name}")
        return problem(409, str(exc), exc.remedy, code=exc.code, rotation=running)
    if isinstance(exc, Permanent):
        status = _STATUSES.get(exc.code, 409)
        return problem(status, str(exc), exc.remedy, code=exc.code)
    status = 429 if exc.code == TOO_OFTEN else 503
    return problem(status, "Try again", str(exc), code=exc.code)


def _encode(body: Struct) -> str:
    return msgspec.json.encode(body).decode()
