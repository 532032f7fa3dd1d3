"""The routes of the API and the roles that they need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from ..domain.access import Role

if TYPE_CHECKING:
    from .requests import Call
    from .responses import Response


@dataclass(frozen=True)
class Route:
    """One route. ``role`` is the narrowest role that may call it; None allows everyone.

    ``handler`` is a module of ``handlers`` and its function. It is imported at the first request:
    the host imports the function app to list the routes, and waits for that.
    """

    name: str
    method: str
    path: str
    role: Role | None
    handler: str

    async def handle(self, call: Call) -> Response:
        """Call the handler. Raises what it raises."""
        return await self.function()(call)

    def function(self) -> Callable[[Call], Awaitable[Response]]:
        """Return the handler."""
        module, _, name = self.handler.partition(".")
        found: Callable[[Call], Awaitable[Response]]
        found = getattr(import_module(f".handlers.{module}", __package__), name)
        return found


ROUTES = (
    Route("request_rotation", "POST", "rotations", Role.OPERATE, "rotations.request"),
    Route("list_rotations", "GET", "rotations", Role.READ, "rotations.list_rotations"),
    Route("get_rotation", "GET", "rotations/{id}", Role.READ, "rotations.get"),
    Route("cancel_rotation", "DELETE", "rotations/{id}", Role.OPERATE, "rotations.cancel"),
    Route("cancel_batch", "DELETE", "rotations", Role.EMERGENCY, "rotations.cancel_batch"),
    Route("answer_rotation", "POST", "rotations/{id}/{answer}", Role.OPERATE, "rotations.answer"),
    Route("list_secrets", "GET", "secrets", Role.READ, "secrets.list_secrets"),
    Route("get_secret", "GET", "secrets/{vault}/{secret}", Role.READ, "secrets.get"),
    Route(
        "list_readers", "GET", "secrets/{vault}/{secret}/readers", Role.READ, "secrets.list_readers"
    ),
    Route(
        "release_secret",
        "POST",
        "secrets/{vault}/{secret}/release",
        Role.OPERATE,
        "secrets.release",
    ),
    Route("hold_secret", "POST", "secrets/{vault}/{secret}/{hold}", Role.OPERATE, "secrets.hold"),
    Route("audit", "GET", "audit", Role.READ, "service.audit"),
    Route("get_hold", "GET", "hold", Role.READ, "service.get_hold"),
    Route("hold_all", "POST", "hold", Role.OPERATE, "service.hold"),
    Route("identify_key", "POST", "identify", Role.EMERGENCY, "service.identify"),
    Route("plan", "GET", "plan", Role.READ, "service.plan"),
    Route("doctor", "GET", "doctor", Role.OPERATE, "service.doctor"),
    Route("get_account", "GET", "accounts/{slug}", Role.READ, "secrets.get_account"),
    Route("health", "GET", "health", None, "service.health"),
    Route("openapi", "GET", "openapi.json", Role.READ, "service.openapi"),
    Route("dashboard", "GET", "dashboard", Role.READ, "service.dashboard"),
)
