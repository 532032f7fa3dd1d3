"""The process's one service, and what is decided once when the process starts."""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import TYPE_CHECKING

from ..settings.environment import BadSettings, access, load, triggers
from ..web.authentication import AuthMethods

if TYPE_CHECKING:
    from ..service.service import Service

_log = logging.getLogger("rotation")


def check_settings() -> None:
    """Log all invalid settings at startup; triggers then fail with the same message."""
    try:
        settings = load(os.environ)
    except BadSettings as exc:
        _log.error("%s", exc)
    else:
        for warning in settings.warnings:
            _log.warning("%s", warning)


def trigger_settings() -> tuple[str, str]:
    """Return the queue's name and the timer's schedule."""
    return triggers(os.environ)


@cache
def service() -> Service:
    """Return the process's one service. Raises BadSettings.

    It is imported at the first trigger, because the host imports the function app to list its
    functions and waits for that.
    """
    from .assembly import build

    return build(load(os.environ))


@cache
def auth_methods() -> AuthMethods:
    """Return the enabled authentication methods of the HTTP API."""
    return AuthMethods(*access(os.environ))
