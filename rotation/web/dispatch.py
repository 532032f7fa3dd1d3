"""The one door of the API: who asks, may they, is it meant; then the handler and its errors."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from ..domain.access import Caller
from ..domain.errors import RotationError, unexpected
from ..runtime import log
from ..service.service import Service
from ..settings.environment import BadSettings
from . import authentication as principal
from .authentication import Doors
from .handlers import Forbidden
from .request_body import MAX_BODY, BadRequest
from .requests import Call, Request
from .responses import Answer, failed, problem
from .routes import Route

MEANT = "X-Rotation-Request"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


async def serve(
    route: Route, request: Request, doors: Doors, service: Callable[[], Service]
) -> Answer:
    """Never raises. ``service`` is called for whoever was let in."""
    call = _request_id(request)
    caller = principal.of(request, doors, call)
    refusal = _refused(route, request, caller)
    if refusal:
        answer = refusal
    else:
        answer = await admit(route, request, caller or Caller("nobody", call=call), service)
    if caller and request.method != "GET":
        _audit(route, caller, answer)
    return answer.under(call)


async def admit(
    route: Route, request: Request, caller: Caller, service: Callable[[], Service]
) -> Answer:
    """The handler's answer to a caller who was let in, or what its error means. Never raises."""
    try:
        return await route.handler(Call(request, caller, service()))
    except BadRequest as exc:
        return problem(400, "The request is not valid", "; ".join(exc.problems))
    except BadSettings as exc:
        return problem(500, "The service's settings are not valid", "; ".join(exc.problems))
    except Forbidden as exc:
        return _forbidden(exc.role, str(exc))
    except RotationError as exc:
        return failed(exc)
    except Exception as exc:  # noqa: BLE001 - what goes wrong here must not show what it saw
        found = unexpected(exc)
        log.error("request failed", route=route.name, request=caller.call, reason=str(found))
        return problem(500, "Something unexpected", f"look for request {caller.call} in the log")


def _refused(route: Route, request: Request, caller: Caller | None) -> Answer | None:
    if len(request.body) > MAX_BODY:
        return problem(413, "The body is too large", f"at most {MAX_BODY} bytes")
    if route.role is None:
        return None
    if caller is None:
        detail = (
            "sign in with Entra ID; App Service authentication must be on for this app, "
            "or function keys switched on by ROTATION_FUNCTION_KEYS"
        )
        return problem(401, "Nobody vouches for you", detail)
    if not caller.may(route.role):
        return _forbidden(route.role)
    if request.method != "GET" and _is_browser(request) and not _is_meant(request):
        detail = f"from a browser, a change needs the header {MEANT} and the page's own origin"
        return problem(403, "Not from this page", detail)
    return None


def _forbidden(role: str, detail: str = "") -> Answer:
    advice = f"ask for the app role {role}"
    return problem(403, "Not allowed", f"{detail}; {advice}" if detail else advice, role=role)


def _is_browser(request: Request) -> bool:
    """No other client sends these; a browser cannot be made to leave out all of them."""
    return any(request.header(name) for name in ("Origin", "Sec-Fetch-Site", "Cookie"))


def _is_meant(request: Request) -> bool:
    """Another site's page can neither add a header of its own nor be of our origin."""
    origin, site = request.header("Origin"), request.header("Sec-Fetch-Site")
    host = request.header("X-Forwarded-Host") or request.header("Host") or _host(request.url)
    return (
        bool(request.header(MEANT))
        and site in ("", "same-origin")
        and (not origin or _host(origin) == host.lower())
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _request_id(request: Request) -> str:
    """The client's own where it is harmless, so that both sides find the same call."""
    given = request.header("X-Request-Id") or request.header("x-ms-client-request-id")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _audit(route: Route, caller: Caller, answer: Answer) -> None:
    """Whoever tried to change something, and whether they were let."""
    log.info(
        "request",
        route=route.name,
        caller=caller.name,
        role=caller.role,
        request=caller.call,
        status=answer.status,
    )
