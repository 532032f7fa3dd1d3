"""Loads Azure Monitor's exporter after the first answer, because it takes longer than all else.

With PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY the worker loads it before it is ready. Without,
the host forwards the log lines of the worker, so they are not exported here as well.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping

from ..runtime import metrics

_log = logging.getLogger("rotation")

_CONNECTION, _BY_WORKER = (
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
)


class Telemetry:
    """The exporter of one process. Until it is loaded, measurements are kept."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        by_worker = environment.get(_BY_WORKER, "").strip().lower() in ("true", "1")
        self._wanted = bool(environment.get(_CONNECTION, "").strip()) and not by_worker
        self._loading: asyncio.Task[None] | None = None
        if self._wanted:
            metrics.hold()

    def load(self) -> None:
        """Load the exporter in a thread, once; call it when an invocation has ended."""
        if self._wanted:
            self._wanted = False
            self._loading = asyncio.create_task(asyncio.to_thread(_load), name="telemetry")


def _load() -> None:
    try:
        from azure.monitor.opentelemetry import configure_azure_monitor

        os.environ.setdefault("OTEL_LOGS_EXPORTER", "none")
        configure_azure_monitor()
    except Exception as exc:  # noqa: BLE001 - the service works without; the text may hold a secret
        _log.error("the telemetry exporter cannot be loaded: %s", type(exc).__name__)
    finally:
        metrics.release()
