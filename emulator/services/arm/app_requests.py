"""Requests about apps that read secrets: refreshed references, and revisions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from ...core.identity import Principal
from ...core.wire import Headers, Request, Response
from ..apps import App
from .errors import check_right, no_resource
from .responses import ok, permissions_body

_GROUP = r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/"
_SITE = r"microsoft\.web/sites/[^/]+(?:/slots/[^/]+)?"
_CONTAINER = r"microsoft\.app/containerapps/[^/]+"
_ROUTES = {
    ("POST", "refresh_references"): rf"(?P<app>{_GROUP}{_SITE})"
    "/config/configreferences/appsettings/refresh",
    ("GET", "list_revisions"): rf"(?P<app>{_GROUP}{_CONTAINER})/revisions",
    ("POST", "restart_revision"): rf"(?P<app>{_GROUP}{_CONTAINER})"
    "/revisions/(?P<revision>[^/]+)/restart",
    ("GET", "app_permissions"): rf"(?P<app>{_GROUP}(?:{_SITE}|{_CONTAINER}))"
    "/providers/microsoft.authorization/permissions",
}
# Azure does not publish the action of a refresh; any below config stands for it. The permissions
# API needs no right.
_ACTIONS = {
    "refresh_references": "Microsoft.Web/sites/config/refresh/action",
    "list_revisions": "Microsoft.App/containerApps/revisions/read",
    "restart_revision": "Microsoft.App/containerApps/revisions/restart/action",
}


@dataclass(frozen=True)
class AppRequest:
    """A request's public name, and its parts as the caller wrote them."""

    name: str
    subscription: str
    group: str
    app: str
    revision: str = ""


def parse(request: Request) -> AppRequest | None:
    """Return what a request asks of an app, or None."""
    path = unquote(request.path)
    for (method, name), route in _ROUTES.items():
        found = re.fullmatch(route, path, re.I)
        if found and request.method == method:
            return AppRequest(name, **found.groupdict())
    return None


def respond(parsed: AppRequest, principal: Principal, apps: Mapping[str, App]) -> Response:
    """Return the response, and note the refresh or restart. Raises ArmError."""
    if parsed.name in _ACTIONS:
        check_right(principal, _ACTIONS[parsed.name], parsed.app)
    app = apps.get(parsed.app.lower())
    if app is None or (parsed.revision and parsed.revision not in app.revisions):
        raise no_resource(parsed.app.partition("/providers/")[2], parsed.group)
    if parsed.name == "app_permissions":
        return ok(permissions_body(principal, parsed.app))
    if parsed.name == "list_revisions":
        shown = app.revisions.items()
        return ok({"value": [{"name": n, "properties": {"active": on}} for n, on in shown]})
    app.refreshed.append(parsed.revision or "references")
    return Response(200, Headers({}), b"")
