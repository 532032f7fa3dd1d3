"""The host itself: one process, one event loop, all triggers."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import azure.functions as func
from aiohttp import web

from .eventgrid import EventGrid
from .functions import load, of_app
from .http import Http
from .queues import HIDDEN, Queue
from .settings import HostSettings
from .timers import Timer

_log = logging.getLogger("host")
WEBHOOK = "/runtime/webhooks/eventgrid"


@dataclass(frozen=True)
class Keys:
    """The host's keys; ``master`` works in place of the others."""

    master: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    function: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    eventgrid: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def admits(self, level: str, request: web.BaseRequest) -> bool:
        """Return whether the request's key is valid for the level; anonymous needs none."""
        given = request.headers.get("x-functions-key") or request.query.get("code") or ""
        valid = {
            "function": (self.function, self.master),
            "eventgrid": (self.eventgrid, self.master),
        }.get(level, (self.master,))
        return level == "anonymous" or any(secrets.compare_digest(given, key) for key in valid)


class Host:
    """``async with Host(directory) as host: host.url``; takes a FunctionApp, too."""

    def __init__(
        self,
        app: Path | str | func.FunctionApp,
        *,
        port: int = 0,
        keys: Keys | None = None,
        status: Path | None = None,
        hidden: timedelta = HIDDEN,
    ) -> None:
        if isinstance(app, func.FunctionApp):
            self.settings, self.functions = HostSettings(), of_app(app)
        else:
            directory = Path(app).resolve()
            self.settings, self.functions = HostSettings.load(directory), load(directory)
        self.keys = keys or Keys()
        self._port = port
        timeout = self.settings.timeout
        self._http = Http(self.functions, self.settings.route_prefix, self.keys, timeout)
        self._events = EventGrid(self.functions, self.keys, timeout)
        timers = [f for f in self.functions if f.kind == "timertrigger"]
        self.timers = [Timer(function, status, timeout) for function in timers]
        queues = [f for f in self.functions if f.kind == "queuetrigger"]
        self._queues = [Queue(function, self.settings, hidden) for function in queues]
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.ServerRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Host:
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        running = [timer.run() for timer in self.timers]
        for queue in self._queues:
            if queue.is_connected:
                running.append(queue.run())
            else:
                _log.info(
                    "%s: no storage is configured, so its queue is not polled", queue.function.name
                )
        self._tasks = [asyncio.create_task(work) for work in running]
        return self

    async def __aexit__(self, *args: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._runner is not None
        await self._runner.cleanup()

    def webhook(self, function: str) -> str:
        """Return the URL for Event Grid, with the key."""
        return f"{self.url}{WEBHOOK}?functionName={function}&code={self.keys.eventgrid}"

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.rstrip("/").lower()
        if path == "":
            return web.Response(text="Your Functions host is up and running.")
        if path == WEBHOOK:
            return await self._events.handle(request)
        if path.startswith("/admin/"):
            return await self._admin(request, path)
        return await self._http.handle(request)

    async def _admin(self, request: web.BaseRequest, path: str) -> web.Response:
        """Serve the host's status, and run a timer now."""
        if not self.keys.admits("admin", request):
            return web.Response(status=401)
        if path == "/admin/host/status":
            return web.json_response(
                {"state": "Running", "version": "4.0-emulated", "pid": os.getpid()}
            )
        name = path.removeprefix("/admin/functions/")
        timer = next((t for t in self.timers if t.function.name.lower() == name), None)
        if timer is None or request.method != "POST":
            return web.Response(status=404)
        self._tasks.append(asyncio.create_task(_fire(timer)))
        return web.Response(status=202)


async def _fire(timer: Timer) -> None:
    await timer.fire()
