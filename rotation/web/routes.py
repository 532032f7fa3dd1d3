"""What is served, and who may: one line for each route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..domain.access import Role
from . import handlers as api
from .handlers import Forbidden
from .requests import Call
from .responses import Answer

__all__ = ["ROUTES", "Forbidden", "Route"]


@dataclass(frozen=True)
class Route:
    """``role`` is the least that is needed; None lets anybody in."""

    name: str
    method: str
    path: str
    role: Role | None
    handler: Callable[[Call], Awaitable[Answer]]


ROUTES = (
    Route("request_rotation", "POST", "rotations", Role.OPERATE, api.request),
    Route("list_rotations", "GET", "rotations", Role.READ, api.rotations),
    Route("get_rotation", "GET", "rotations/{id}", Role.READ, api.rotation),
    Route("cancel_rotation", "DELETE", "rotations/{id}", Role.OPERATE, api.cancel),
    Route("answer_rotation", "POST", "rotations/{id}/{answer}", Role.OPERATE, api.answer),
    Route("list_secrets", "GET", "secrets", Role.READ, api.secrets),
    Route("get_secret", "GET", "secrets/{vault}/{secret}", Role.READ, api.secret),
    Route("hold_secret", "POST", "secrets/{vault}/{secret}/{hold}", Role.OPERATE, api.hold),
    Route("plan", "GET", "plan", Role.READ, api.plan),
    Route("doctor", "GET", "doctor", Role.OPERATE, api.doctor),
    Route("get_account", "GET", "accounts/{slug}", Role.READ, api.account),
    Route("health", "GET", "health", None, api.health),
    Route("openapi", "GET", "openapi.json", Role.READ, api.openapi),
    Route("dashboard", "GET", "dashboard", Role.READ, api.dashboard),
)
