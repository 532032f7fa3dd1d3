"""Structured log lines: a stable name and JSON. The Functions worker keeps only the message."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

# Log lines are a name and JSON with some of these members.
LINES: Mapping[str, tuple[str, ...]] = {
    "step": ("account", "operation", "phase", "action", "reason", "until", "code"),
    "sweep": ("accounts", "enqueued", "stopped", "problem"),
    "sweep stopped": ("reason",),
    "bindings lost": (),
    "sweep not noted": ("reason", "code"),
    "fleet": (
        *("secrets", "accounts", "states", "oldestKeyDays", "nextExpiryDays", "sweepAgeSeconds"),
        "problems",
    ),
    "fleet unknown": ("reason", "code"),
    "emergency": ("id", "account", "state", "reason", "remedy"),
    "emergency unreadable": ("id",),
    "emergency without record": ("id", "code", "reason"),
    "asked": ("account", "id", "kind", "leaked", "requester", "role", "reason", "request"),
    "audit": (
        *("id", "account", "purpose", "ending", "outcome", "requester", "role", "reason"),
        *("request", "leaked", "askedAt", "endedAt", "seconds"),
    ),
    "hold": ("state", "until", "caller", "role", "request", "reason"),
    "hold unreadable": ("reason",),
    "released": ("secret", "account", "caller", "request", "reason"),
    "request": ("route", "caller", "role", "request", "status"),
    "request failed": ("route", "request", "reason"),
    "event": (
        *("type", "account", "operation", "purpose", "slot", "proof", "reason", "secret"),
        *("code", "error", "remedy", "of"),
    ),
    "event ignored": ("secret", "reason"),
    "emergency queue failed": ("reason", "code"),
    "event waits": ("secret", "reason", "code"),
    "visit waits": ("account", "seconds"),
    "event not sent": ("id", "reason"),
    "consumer asked": ("consumer",),
    "consumer not asked": ("consumer", "reason", "code"),
}

_log = logging.getLogger("rotation")


def is_enabled() -> bool:
    """Return whether ``info`` writes anything; check it before computing expensive fields."""
    return _log.isEnabledFor(logging.INFO)


def info(event: str, **fields: Any) -> None:
    _write(logging.INFO, event, fields)


def warning(event: str, **fields: Any) -> None:
    _write(logging.WARNING, event, fields)


def error(event: str, **fields: Any) -> None:
    _write(logging.ERROR, event, fields)


def _write(level: int, event: str, fields: dict[str, Any]) -> None:
    if _log.isEnabledFor(level):
        present = {name: value for name, value in fields.items() if value not in (None, "")}
        _log.log(level, "%s %s", event, json.dumps(present, default=str))
