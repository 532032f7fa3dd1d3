"""Checks the caller's permissions at a scope; the fix is the command that grants them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from ...domain import permissions
from ...domain.errors import Permanent
from ...ports import Resources
from .findings import Finding, attempt


async def check_permissions(
    resources: Resources,
    check: str,
    subject: str,
    scope: str,
    wanted: Iterable[str],
    fix: str,
    *,
    data: bool,
) -> Finding:
    """Check that the caller may do all of ``wanted``; ``data`` means data actions."""

    async def read() -> str:
        missing = permissions.missing(await resources.grants(scope), wanted, data=data)
        if missing:
            message = "not allowed: " + ", ".join(missing)
            raise Permanent(message, code="NotAllowed", remedy=fix)
        return "all required permissions are granted"

    return await attempt(check, subject, read)


def grant_command(object_id: str, role: str, scope: str) -> str:
    """Return the command that assigns one of this project's roles.

    The name of a custom role ends with the subscription that defines it (infra/).
    """
    return grant_built_in(object_id, f"{role} ({scope.split('/')[2]})", scope)


def grant_built_in(object_id: str, role: str, scope: str) -> str:
    """Return the command that assigns a role by its full name."""
    target = shlex.quote(scope)  # a resource group's name may have brackets
    return f'az role assignment create --assignee {object_id} --role "{role}" --scope {target}'
