"""Checks whether the service may refresh the apps that ``ROTATION_CONSUMERS`` names."""

from __future__ import annotations

from dataclasses import replace

from ...domain import permissions
from ...domain.consumers import Consumer, Consumers
from ...ports import Resources
from ...runtime.concurrency import gather_limited
from .findings import CheckState, Finding
from .permissions import check_permissions, grant_built_in

CONCURRENCY = 4


async def check_apps(resources: Resources, object_id: str, consumers: Consumers) -> list[Finding]:
    """Return a finding for each app. ``object_id`` is the caller's, for the command of a fix."""
    named = [consumer for consumer in consumers.all if consumer.resource]
    found = (_check(resources, object_id, consumer, str(consumer.resource)) for consumer in named)
    return list(await gather_limited(found, CONCURRENCY))


async def _check(resources: Resources, object_id: str, consumer: Consumer, scope: str) -> Finding:
    """Return a warning if a right is missing: the app reads its secrets later; nothing fails."""
    fix = grant_built_in(object_id, consumer.role, scope)
    wanted = permissions.on_app(scope)
    found = await check_permissions(resources, "app rights", scope, scope, wanted, fix, data=False)
    if found.state is CheckState.OK:
        return replace(found, detail=f"{consumer.name} can be refreshed after a publish")
    detail = f"{consumer.name} is not refreshed after a publish: {found.detail}"
    return replace(found, state=CheckState.WARNING, detail=detail, fix=fix)
