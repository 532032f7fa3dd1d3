"""The handlers: a call in, an answer out. Errors are turned into answers by ``serve``."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from ..domain.access import Role
from ..domain.model import TargetId
from ..domain.record import RequestKind
from ..ops.doctor import findings
from ..service.requests import RotationRequest
from . import request_body
from .request_body import BadRequest, vault_url
from .requests import Call
from .responses import Answer, accepted, ok, problem, unknown

_ANSWERS = {"resume": RequestKind.RESUME, "abandon": RequestKind.ABANDON}

_STATES = ("waiting", "running", "blocked", "ended", "cancelled")

_SLUG = re.compile(r"[0-9a-f]{16}")

_HERE = Path(__file__).parent


class Forbidden(Exception):
    """The caller's role does not suffice for what the body asks."""

    def __init__(self, role: Role, message: str) -> None:
        super().__init__(message)
        self.role = role


async def request(call: Call) -> Answer:
    """``POST /api/rotations``."""
    wanted = _wanted(call)
    _check_role(call, wanted)
    if wanted.dry_run:
        return ok(await call.service.previews.request(wanted))
    if wanted.is_bulk:
        return accepted(await call.service.commands.request_all(wanted))
    wait, made = call.wait, await call.service.commands.request(wanted)
    if wait:
        found = await call.service.queries.status(made["id"], wait)
        if found and found["state"] == "ended":
            return ok(found, 200, Location=made["status"])
    return accepted(made)


def _wanted(call: Call) -> RotationRequest:
    caller, vaults = call.caller, call.service.queries.vault_urls
    found = request_body.parse(
        call.request.body, call.request.headers, vaults, requester=caller.name
    )
    return replace(found, role=caller.role, request_id=caller.call)


def _check_role(call: Call, wanted: RotationRequest) -> None:
    if wanted.everything and call.caller.by_key and not wanted.dry_run:
        raise Forbidden(Role.EMERGENCY, "a function key does not suffice for everything")
    if (wanted.is_emergency or wanted.is_bulk) and not call.caller.may(Role.EMERGENCY):
        raise Forbidden(Role.EMERGENCY, "an emergency, a whole vault or everything")


async def rotations(call: Call) -> Answer:
    """``GET /api/rotations?state=…&account=…&batch=…``."""
    state = call.query("state")
    if state and state not in _STATES:
        raise BadRequest([f"state: one of {', '.join(_STATES)}"])
    try:
        found = await call.service.queries.rotations(
            state, call.query("account"), call.query("batch")
        )
    except ValueError:
        raise BadRequest(["account: write its ARM resource id"]) from None
    return ok(found)


async def rotation(call: Call) -> Answer:
    """``GET /api/rotations/{id}``."""
    found = await call.service.queries.status(call.param("id"), call.wait)
    return unknown() if found is None else ok(found)


async def cancel(call: Call) -> Answer:
    """``DELETE /api/rotations/{id}``."""
    reason = request_body.stated(call.query("reason") or "no longer wanted")
    found = await call.service.commands.cancel(call.param("id"), call.caller, reason)
    return unknown() if found is None else ok(found)


async def answer(call: Call) -> Answer:
    """``POST /api/rotations/{id}/resume`` and ``…/abandon``."""
    kind = _ANSWERS.get(call.param("answer"))
    if kind is None:
        return problem(404, "Not found", "POST …/resume or …/abandon")
    reason, dry_run = request_body.reason(call.request.body)
    name = call.param("id")
    will = await call.service.commands.answer(name, kind, call.caller, reason, dry_run=dry_run)
    if will is None:
        return unknown()
    if dry_run:
        return ok({"dryRun": True, "will": will})
    return accepted({"id": name, "will": will, "status": f"/api/rotations/{name}"})


async def secrets(call: Call) -> Answer:
    """``GET /api/secrets``: the fleet."""
    return ok(await call.service.queries.fleet(call.caller))


async def secret(call: Call) -> Answer:
    """``GET /api/secrets/{vault}/{secret}``: what it waits for now, its versions, its past."""
    return ok(await call.service.previews.secret(_target(call)))


def _target(call: Call) -> TargetId:
    """Raises BadRequest where the vault is not one of ours."""
    vaults = call.service.queries.vault_urls
    vault = vault_url(call.param("vault"), vaults)
    if vault is None:
        raise BadRequest(["vault: configured are " + ", ".join(vaults)])
    return TargetId(vault, call.param("secret"))


async def hold(call: Call) -> Answer:
    """``POST /api/secrets/{vault}/{secret}/pause`` and ``…/resume``."""
    what = call.param("hold")
    if what not in ("pause", "resume"):
        return problem(404, "Not found", "POST …/pause or …/resume")
    request_body.reason(call.request.body)
    return ok(await call.service.commands.pause(_target(call), paused=what == "pause"))


async def account(call: Call) -> Answer:
    """``GET /api/accounts/{slug}``: what the time line shows."""
    slug = call.param("slug").lower()
    found = await call.service.queries.account(slug) if _SLUG.fullmatch(slug) else None
    if found is None:
        return problem(404, "Not found", "nothing is known of it yet; GET /api/secrets has all")
    return ok(found)


async def plan(call: Call) -> Answer:
    """``GET /api/plan``: what the next sweep would do, and why."""
    return ok(await call.service.previews.next_sweep())


async def doctor(call: Call) -> Answer:
    """``GET /api/doctor``: whether everything is there that a rotation needs."""
    return ok(findings.to_json(await call.service.doctor.examine()))


async def health(call: Call) -> Answer:
    """``GET /api/health``: for anybody, so it says nothing but this."""
    found = await call.service.health.status()
    return ok(found, 200 if found["status"] == "ok" else 503)


async def openapi(call: Call) -> Answer:
    """``GET /api/openapi.json``."""
    return Answer(200, document())


@cache
def document() -> str:
    """The OpenAPI 3.1 document."""
    return (_HERE / "openapi.json").read_text()


async def dashboard(call: Call) -> Answer:
    """``GET /api/dashboard``."""
    from .dashboard import page

    html, policy = page()
    return Answer(200, html, {"Content-Security-Policy": policy}, "text/html")
