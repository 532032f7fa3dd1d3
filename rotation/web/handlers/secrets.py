"""Handlers of ``/api/secrets`` and ``/api/accounts``."""

from __future__ import annotations

import re

from ...domain.ids import TargetId
from ..body_reader import read_answer
from ..errors import BadRequest
from ..requests import Call
from ..responses import Response, ok, problem
from ..rotation_request import find_vault, not_configured

_SLUG = re.compile(r"[0-9a-f]{16}")


async def list_secrets(call: Call) -> Response:
    """Handle ``GET /api/secrets``."""
    return ok(await call.service.queries.fleet(call.caller))


async def get(call: Call) -> Response:
    """Handle ``GET /api/secrets/{vault}/{secret}``."""
    return ok(await call.service.previews.secret(_target(call)))


async def list_readers(call: Call) -> Response:
    """Handle ``GET /api/secrets/{vault}/{secret}/readers``."""
    return ok(await call.service.readers.of(_target(call)))


async def hold(call: Call) -> Response:
    """Handle ``POST /api/secrets/{vault}/{secret}/pause`` and ``…/resume``."""
    what = call.param("hold")
    if what not in ("pause", "resume"):
        return problem(404, "Not found", "Use POST …/pause or …/resume.")
    read_answer(call.request.body)
    return ok(await call.service.commands.pause(_target(call), paused=what == "pause"))


async def release(call: Call) -> Response:
    """Handle ``POST /api/secrets/{vault}/{secret}/release``."""
    reason, dry_run = read_answer(call.request.body)
    target = _target(call)
    return ok(await call.service.releases.release(target, call.caller, reason, dry_run=dry_run))


async def get_account(call: Call) -> Response:
    """Handle ``GET /api/accounts/{slug}``."""
    slug = call.param("slug").lower()
    found = await call.service.queries.account(slug) if _SLUG.fullmatch(slug) else None
    if found is None:
        return problem(404, "Not found", "No such account; see GET /api/secrets.")
    return ok(found)


def _target(call: Call) -> TargetId:
    """Return the secret in the path. Raises BadRequest if its vault is not configured."""
    vaults = call.service.queries.vault_urls
    vault = find_vault(call.param("vault"), vaults)
    if vault is None:
        raise BadRequest([not_configured(vaults)])
    return TargetId(vault, call.param("secret"))
