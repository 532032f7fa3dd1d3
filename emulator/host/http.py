"""HTTP triggers: route templates, keys, requests and responses."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import azure.functions as func
from aiohttp import web

from .functions import Function

_log = logging.getLogger("host")
_SEGMENT = re.compile(
    r"\{(?P<all>\*)?(?P<name>\w+)(?::(?P<kind>\w+)(?:\([^)]*\))?)?(?P<maybe>\?)?\}"
)
_KINDS = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "guid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "alpha": r"[A-Za-z]+",
    "bool": r"(?i:true|false)",
    "datetime": r"[^/]+",
    "decimal": r"-?[\d.]+",
    "double": r"-?[\d.eE+-]+",
    "float": r"-?[\d.eE+-]+",
}


@dataclass(frozen=True)
class Route:
    """A template such as ``rotations/{id:guid}/{answer?}`` of one function."""

    function: Function
    pattern: re.Pattern[str]
    methods: frozenset[str]
    level: str
    literal: int

    @classmethod
    def of(cls, function: Function, prefix: str) -> Route:
        template = str(function.trigger.get("route") or function.name).strip("/")
        whole = f"{prefix}/{template}".strip("/")
        methods = function.trigger.get("methods") or []
        return cls(
            function,
            _compiled(whole),
            frozenset(_plain(method).upper() for method in methods),
            _plain(function.trigger.get("authLevel") or "function").lower(),
            sum("{" not in segment for segment in whole.split("/")),
        )


def _plain(value: Any) -> str:
    """Return the text of a string or an enum member."""
    return str(getattr(value, "value", value))


def _compiled(template: str) -> re.Pattern[str]:
    text = ""
    for segment in template.split("/"):
        match = _SEGMENT.fullmatch(segment)
        if match is None:
            text += "/" + re.escape(segment)
        elif match["all"]:
            text += f"(?:/(?P<{match['name']}>.*))?"
        else:
            group = f"/(?P<{match['name']}>{_KINDS.get(match['kind'] or '', '[^/]+')})"
            text += f"(?:{group})?" if match["maybe"] else group
    return re.compile(text + "/?", re.I)


class Http:
    """Dispatches to the most literal route that matches the path and the method."""

    def __init__(
        self, functions: list[Function], prefix: str, keys: Any, timeout: timedelta
    ) -> None:
        routes = [Route.of(f, prefix) for f in functions if f.kind == "httptrigger"]
        self._routes = sorted(routes, key=lambda route: -route.literal)
        self._keys, self._timeout = keys, timeout

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        found = self._find(request)
        if found is None:
            return web.Response(status=404)
        route, params = found
        if not self._keys.admits(route.level, request):
            return web.Response(status=401)
        body = await request.read()
        argument = func.HttpRequest(
            request.method,
            str(request.url),
            headers=dict(request.headers),
            params=dict(request.query),
            route_params=params,
            body=body,
        )
        try:
            return _response(await route.function.invoke(argument, self._timeout))
        except Exception:
            _log.exception("function %s failed", route.function.name)
            return web.Response(status=500)

    def _find(self, request: web.BaseRequest) -> tuple[Route, Mapping[str, str]] | None:
        for route in self._routes:
            match = route.pattern.fullmatch(request.path)
            if match and (not route.methods or request.method in route.methods):
                return route, {n: v for n, v in match.groupdict().items() if v is not None}
        return None


def _response(result: Any) -> web.Response:
    if result is None:
        return web.Response(status=204)
    if not isinstance(result, func.HttpResponse):
        return web.Response(text=str(result))
    headers = dict(result.headers)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = f"{result.mimetype}; charset={result.charset}"
    return web.Response(status=result.status_code, body=result.get_body(), headers=headers)
