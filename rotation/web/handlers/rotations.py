"""Handlers of ``/api/rotations``."""

from __future__ import annotations

from msgspec.structs import replace

from ...domain.access import Role
from ...domain.request import RequestKind
from ...service.replies.preview import AnswerDryRunReply
from ...service.replies.rotation import AnsweredReply, RotationState
from ...service.requests import RotationRequest
from .. import rotation_request
from ..body_reader import read_answer, read_reason
from ..errors import BadRequest, Forbidden
from ..requests import Call
from ..responses import Response, accepted, ok, problem, unknown_rotation

_ANSWERS = {"resume": RequestKind.RESUME, "abandon": RequestKind.ABANDON}


async def request(call: Call) -> Response:
    """Handle ``POST /api/rotations``."""
    wanted = _parse(call)
    _check_role(call, wanted)
    if wanted.dry_run:
        return ok(await call.service.previews.request(wanted))
    if wanted.is_bulk:
        return accepted(await call.service.commands.request_all(wanted))
    wait, made = call.wait, await call.service.commands.request(wanted)
    if wait:
        found = await call.service.queries.status(made.id, wait)
        if found and found.state is RotationState.ENDED:
            return ok(found, 200, Location=made.status)
    return accepted(made)


def _parse(call: Call) -> RotationRequest:
    caller, vaults = call.caller, call.service.queries.vault_urls
    found = rotation_request.parse(
        call.request.body, call.request.headers, vaults, requester=caller.name
    )
    return replace(found, role=caller.role, request_id=caller.call)


def _check_role(call: Call, wanted: RotationRequest) -> None:
    if wanted.everything and call.caller.by_key and not wanted.dry_run:
        message = "Rotating everything is not allowed with a function key."
        raise Forbidden(Role.EMERGENCY, message)
    if (wanted.is_emergency or wanted.is_bulk) and not call.caller.may(Role.EMERGENCY):
        message = "An emergency or more than one account needs a wider role."
        raise Forbidden(Role.EMERGENCY, message)


async def _check_answer(call: Call) -> None:
    """Refuse an answer to an emergency by a caller who may not start one."""
    if call.caller.may(Role.EMERGENCY):
        return
    if await call.service.queries.is_emergency(call.param("id")):
        raise Forbidden(Role.EMERGENCY, "To answer an emergency needs a wider role.")


async def list_rotations(call: Call) -> Response:
    """Handle ``GET /api/rotations?state=…&account=…&batch=…``."""
    state, account = call.query("state"), call.query("account")
    if state and state not in set(RotationState):
        raise BadRequest([f"state: must be one of {', '.join(RotationState)}"])
    try:
        found = await call.service.queries.rotations(state, account, call.query("batch"))
    except ValueError:
        raise BadRequest(["account: must be an ARM resource id"]) from None
    return ok(found)


async def get(call: Call) -> Response:
    """Handle ``GET /api/rotations/{id}``."""
    found = await call.service.queries.status(call.param("id"), call.wait)
    return unknown_rotation() if found is None else ok(found)


async def cancel(call: Call) -> Response:
    """Handle ``DELETE /api/rotations/{id}``."""
    reason = read_reason(call.query("reason") or "no longer wanted")
    await _check_answer(call)
    found = await call.service.commands.cancel(call.param("id"), call.caller, reason)
    return unknown_rotation() if found is None else ok(found)


async def cancel_batch(call: Call) -> Response:
    """Handle ``DELETE /api/rotations?batch=…``."""
    reason = read_reason(call.query("reason") or "no longer wanted")
    batch = call.query("batch")
    if not batch:
        raise BadRequest(["batch: required; to cancel one rotation, name it in the path"])
    found = await call.service.commands.cancel_batch(batch, call.caller, reason)
    return unknown_rotation() if found is None else ok(found)


async def answer(call: Call) -> Response:
    """Handle ``POST /api/rotations/{id}/resume`` and ``…/abandon``."""
    kind = _ANSWERS.get(call.param("answer"))
    if kind is None:
        return problem(404, "Not found", "Use POST …/resume or …/abandon.")
    reason, dry_run = read_answer(call.request.body)
    name = call.param("id")
    await _check_answer(call)
    will = await call.service.commands.answer(name, kind, call.caller, reason, dry_run=dry_run)
    if will is None:
        return unknown_rotation()
    if dry_run:
        return ok(AnswerDryRunReply(dry_run=True, will=will))
    return accepted(AnsweredReply(id=name, will=will, status=f"/api/rotations/{name}"))
