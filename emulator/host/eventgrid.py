"""The Event Grid extension's webhook: handshakes, one call per event, 202 only if all succeed."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

from aiohttp import web
from azure.functions import meta
from azure.functions.eventgrid import EventGridEventInConverter

from .functions import Function

_log = logging.getLogger("host")


class EventGrid:
    """``/runtime/webhooks/eventgrid?functionName=…&code=…``."""

    def __init__(self, functions: list[Function], keys: Any, timeout: timedelta) -> None:
        self._functions = {f.name.lower(): f for f in functions if f.kind == "eventgridtrigger"}
        self._keys, self._timeout = keys, timeout

    async def handle(self, request: web.BaseRequest) -> web.Response:
        if not self._keys.admits("eventgrid", request):
            return web.Response(status=401)
        name = next((v for n, v in request.query.items() if n.lower() == "functionname"), "")
        function = self._functions.get(name.lower())
        if function is None:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            return _allowed(request)
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            return web.Response(status=400, text="the body is not JSON")
        events = body if isinstance(body, list) else [body]
        return await self._received(request, function, events)

    async def _received(
        self, request: web.BaseRequest, function: Function, events: list[Any]
    ) -> web.Response:
        kind = request.headers.get("aeg-event-type", "Notification").lower()
        if kind == "subscriptionvalidation":
            return _validated(events)
        if kind == "unsubscribe":
            return web.Response(status=202)
        if kind != "notification":
            return web.Response(status=400)
        calls = (self._call(function, event) for event in events)
        failures = [failure for failure in await asyncio.gather(*calls) if failure]
        if failures:
            return web.Response(status=500, text="; ".join(failures))
        return web.Response(status=202)

    async def _call(self, function: Function, event: Any) -> str | None:
        """Call the function; return the exception's text, which the real extension sends back."""
        try:
            datum = meta.Datum(json.dumps(event), "json")
            argument = EventGridEventInConverter.decode(datum, trigger_metadata={})
            await function.invoke(argument, self._timeout)
        except Exception as exc:
            _log.exception("function %s failed", function.name)
            return str(exc) or type(exc).__name__
        return None


def _validated(events: list[Any]) -> web.Response:
    """Respond to the handshake with the code of its first event."""
    try:
        return web.json_response({"validationResponse": events[0]["data"]["validationCode"]})
    except (LookupError, TypeError):
        return web.Response(status=400, text="the body is not a validation event")


def _allowed(request: web.BaseRequest) -> web.Response:
    """Respond to the CloudEvents handshake, which allows the sender's origin."""
    origin = request.headers.get("WebHook-Request-Origin", "")
    headers = {"WebHook-Allowed-Origin": origin or "*", "WebHook-Allowed-Rate": "*"}
    return web.Response(status=200, headers=headers)
