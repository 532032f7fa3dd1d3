"""Structured log lines: a stable name, then JSON. The Functions worker keeps only the message."""

from __future__ import annotations

import json
import logging
from typing import Any

_log = logging.getLogger("rotation")


def is_enabled() -> bool:
    """Whether ``info`` writes anything, for where its fields cost something."""
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
