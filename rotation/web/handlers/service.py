"""Handlers about the service as a whole, its API and its dashboard."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ...service.replies.fleet import HealthStatus
from ...service.views import diagnosis
from ..body_reader import read_hold, read_key, read_time
from ..dashboard import page
from ..errors import BadRequest
from ..requests import Call
from ..responses import Response, ok

_DOCUMENT = Path(__file__).parents[1] / "openapi.json"


async def plan(call: Call) -> Response:
    """Handle ``GET /api/plan``."""
    return ok(await call.service.previews.next_sweep())


async def doctor(call: Call) -> Response:
    """Handle ``GET /api/doctor?done=…``."""
    done = call.query("done")
    if done and not (done.isascii() and done.isdecimal() and len(done) < 10):
        raise BadRequest(["done: must be checked of the last reply"])
    found = await call.service.doctor.examine(int(done or 0))
    return ok(diagnosis.build(found, in_parts=bool(done)))


async def health(call: Call) -> Response:
    """Handle ``GET /api/health``. It needs no role, so it reveals nothing else."""
    found = await call.service.health.status()
    return ok(found, 200 if found.status is HealthStatus.OK else 503)


async def openapi(call: Call) -> Response:
    """Handle ``GET /api/openapi.json``."""
    return Response(200, _document())


async def dashboard(call: Call) -> Response:
    """Handle ``GET /api/dashboard``."""
    html, policy = page()
    return Response(200, html, {"Content-Security-Policy": policy}, "text/html")


async def identify(call: Call) -> Response:
    """Handle ``POST /api/identify``."""
    key, done = read_key(call.request.body)
    return ok(await call.service.identification.identify(key, done))


async def audit(call: Call) -> Response:
    """Handle ``GET /api/audit?since=…&account=…&after=…``."""
    since, account = read_time("since", call.request.query.get("since")), call.query("account")
    try:
        return ok(await call.service.audit.page(since, account, call.query("after")))
    except ValueError:
        raise BadRequest(["account: must be an ARM resource id"]) from None


async def get_hold(call: Call) -> Response:
    """Handle ``GET /api/hold``."""
    return ok(await call.service.holding.status())


async def hold(call: Call) -> Response:
    """Handle ``POST /api/hold``."""
    asked, holding = read_hold(call.request.body), call.service.holding
    caller, reason, dry_run = call.caller, asked.reason, asked.dry_run
    if asked.until is None:
        return ok(await holding.end(caller, reason, dry_run=dry_run))
    return ok(await holding.place(asked.until, caller, reason, dry_run=dry_run))


@cache
def _document() -> str:
    return _DOCUMENT.read_text()
