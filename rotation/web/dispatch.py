"""Request pipeline: authenticate, authorise, check for CSRF, dispatch, map errors."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..domain.access import Caller, Role
from ..domain.errors import RotationError, unexpected
from ..domain.redaction import looks_like_key
from ..runtime import log
from ..settings.environment import BadSettings
from .authentication import AuthMethods, authenticate
from .body_reader import MAX_BODY
from .csrf import CSRF_HEADER, is_browser, passes_csrf_check
from .errors import BadRequest, Forbidden
from .requests import Call, HttpRequest
from .responses import Response, from_error, problem
from .routes import Route

if TYPE_CHECKING:
    from ..service.service import Service

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


async def serve(
    route: Route, request: HttpRequest, methods: AuthMethods, service: Callable[[], Service]
) -> Response:
    """Return the response to any request. Never raises.

    ``service`` is only called once the caller is authorised.
    """
    request_id = _request_id(request)
    caller = authenticate(request, methods, request_id)
    response = _refuse(route, request, caller)
    if response is None:
        anonymous = Caller("nobody", call=request_id)
        response = await dispatch(route, request, caller or anonymous, service)
    if caller and request.method != "GET":
        _audit(route, caller, response)
    return response.with_headers(request_id)


async def dispatch(
    route: Route, request: HttpRequest, caller: Caller, service: Callable[[], Service]
) -> Response:
    """Call the route's handler for an authorised caller and map its errors. Never raises."""
    try:
        return await route.handle(Call(request, caller, service()))
    except BadRequest as exc:
        return problem(400, "Invalid request", "; ".join(exc.problems))
    except BadSettings as exc:
        return problem(500, "Invalid settings of the service", "; ".join(exc.problems))
    except Forbidden as exc:
        return _forbidden(exc.role, str(exc))
    except RotationError as exc:
        return from_error(exc)
    except Exception as exc:  # noqa: BLE001 - its message may contain a key
        found = unexpected(exc)
        log.error("request failed", route=route.name, request=caller.call, reason=str(found))
        return problem(500, "Internal server error", f"See the log for request {caller.call}.")


def _refuse(route: Route, request: HttpRequest, caller: Caller | None) -> Response | None:
    """Return the response to a request that must not reach its handler, or None."""
    if len(request.body) > MAX_BODY:
        return problem(413, "Request body too large", f"The maximum is {MAX_BODY} bytes.")
    if route.role is None:
        return None
    if caller is None:
        return _unauthenticated()
    if not caller.may(route.role):
        return _forbidden(route.role)
    if request.method != "GET" and is_browser(request) and not passes_csrf_check(request):
        detail = (
            f"Browser requests that change state need the {CSRF_HEADER} header "
            "and a same-origin Origin."
        )
        return problem(403, "Cross-site request rejected", detail)
    return None


def _unauthenticated() -> Response:
    detail = (
        "Sign in with Entra ID. App Service authentication must be on for this app, "
        "or function keys must be enabled by ROTATION_FUNCTION_KEYS."
    )
    return problem(401, "Authentication required", detail)


def _forbidden(role: Role, detail: str = "") -> Response:
    remedy = f"Ask for the app role {role}."
    return problem(403, "Not allowed", f"{detail} {remedy}".strip(), role=role)


def _request_id(request: HttpRequest) -> str:
    """Return the client's id if it is well-formed, so that both sides log the same one.

    One that could be a key is not logged.
    """
    given = request.header("X-Request-Id") or request.header("x-ms-client-request-id")
    is_id = _REQUEST_ID.fullmatch(given) and not looks_like_key(given)
    return given if is_id else uuid.uuid4().hex


def _audit(route: Route, caller: Caller, response: Response) -> None:
    """Log an attempted change and its outcome."""
    log.info(
        "request",
        route=route.name,
        caller=caller.name,
        role=caller.role,
        request=caller.call,
        status=response.status,
    )
