"""The HTTP API: bytes in, an answer out. Knows nothing of Azure Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import requests
from .errors import Permanent, RotationError
from .record import WishKind
from .requests import BadRequest
from .triggers import Triggers

JSON = "application/json"
PROBLEM = "application/problem+json"
_ANSWERS = {"resume": WishKind.RESUME, "abandon": WishKind.ABANDON}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    mimetype: str = JSON


async def request(triggers: Triggers, body: bytes, headers: Mapping[str, str]) -> Answer:
    """``POST /api/rotations``: 202 with the operation's id and where to follow it."""
    try:
        wanted = requests.parse(body, headers, triggers.vaults.urls, requester="function key")
        accepted = await triggers.request(wanted)
    except BadRequest as exc:
        return problem(400, "The request is not valid", "; ".join(exc.problems))
    except RotationError as exc:
        return _failed(exc)
    url = f"/api/rotations/{accepted.id}"
    found = {"id": accepted.id, "account": str(accepted.account), "status": url}
    return Answer(202, json.dumps(found), {"Location": url})


async def status(triggers: Triggers, operation_id: str) -> Answer:
    """``GET /api/rotations/{id}``."""
    try:
        found = await triggers.status(operation_id)
    except RotationError as exc:
        return _failed(exc)
    return _unknown() if found is None else Answer(200, json.dumps(found))


async def answer(triggers: Triggers, operation_id: str, what: str, body: bytes) -> Answer:
    """``POST /api/rotations/{id}/resume`` and ``…/abandon``."""
    kind = _ANSWERS.get(what)
    if kind is None:
        return problem(404, "Not found", "POST …/resume or …/abandon")
    try:
        reason = requests.reason(body)
        known = await triggers.answer(operation_id, kind, "function key", reason)
    except BadRequest as exc:
        return problem(400, "The request is not valid", "; ".join(exc.problems))
    except RotationError as exc:
        return _failed(exc)
    url = f"/api/rotations/{operation_id}"
    found = {"id": operation_id, "status": url}
    return Answer(202, json.dumps(found), {"Location": url}) if known else _unknown()


def problem(status: int, title: str, detail: str, **more: Any) -> Answer:
    """RFC 9457 problem details."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Answer(status, json.dumps(body), mimetype=PROBLEM)


def _unknown() -> Answer:
    return problem(404, "Not found", "there is no rotation of this id; POST /api/rotations")


def _failed(exc: RotationError) -> Answer:
    if isinstance(exc, Permanent):
        status = 404 if exc.code == "NotEnrolled" else 409
        return problem(status, str(exc), exc.remedy, code=exc.code)
    return problem(503, "Try again", str(exc), code=exc.code)
