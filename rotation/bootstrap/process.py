"""The process's one service, and what is decided once when the process starts."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

from ..settings.environment import BadSettings, access, load, triggers
from ..web.authentication import AuthMethods
from .lifetime import close_at_exit
from .telemetry import Telemetry

if TYPE_CHECKING:
    from ..service.service import Service

_log = logging.getLogger("rotation")

_building = threading.Lock()

_telemetry = Telemetry(os.environ)


def check_settings() -> None:
    """Log all invalid settings at startup; triggers then fail with the same message."""
    try:
        settings = load(os.environ)
    except BadSettings as exc:
        _log.error("%s", exc)
    else:
        for warning in settings.warnings:
            _log.warning("%s", warning)


def trigger_settings() -> tuple[str, str, str]:
    """Return the work queue's name, the timer's schedule and the emergencies' queue."""
    return triggers(os.environ)


def service() -> Service:
    """Return the process's one service. Raises BadSettings.

    It is imported at the first trigger, because the host imports the function app to list its
    functions and waits for that.
    """
    with _building:
        return _service()


@cache
def _service() -> Service:
    from .assembly import build

    return build(load(os.environ))


@asynccontextmanager
async def invocation() -> AsyncIterator[None]:
    """Prepare the service for one invocation, and close it when the worker exits.

    It is built in a thread: importing the SDKs would block the event loop for half a second.
    An error, such as settings that are not valid, is raised when the service is used.
    """
    with suppress(Exception):
        if not _service.cache_info().currsize:
            await asyncio.to_thread(service)
        close_at_exit(_close)
    try:
        yield
    finally:
        _telemetry.load()


async def _close() -> None:
    closing = service()
    _service.cache_clear()
    await closing.close()


@cache
def auth_methods() -> AuthMethods:
    """Return the enabled authentication methods of the HTTP API."""
    return AuthMethods(*access(os.environ))
