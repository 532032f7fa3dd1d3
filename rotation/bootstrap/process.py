"""The process's one service, and what is decided once when the process starts."""

from __future__ import annotations

import logging
import os
from functools import cache

from ..service.service import Service
from ..settings.environment import BadSettings, access, load
from ..web.authentication import AuthMethods
from .assembly import build

_log = logging.getLogger("rotation")


def check_settings() -> None:
    """Log all invalid settings at startup; triggers then fail with the same message."""
    try:
        load(os.environ)
    except BadSettings as exc:
        _log.error("%s", exc)


@cache
def service() -> Service:
    """Return the process's one service. Raises BadSettings."""
    return build(load(os.environ))


@cache
def auth_methods() -> AuthMethods:
    """Return the enabled authentication methods of the HTTP API."""
    return AuthMethods(*access(os.environ))
