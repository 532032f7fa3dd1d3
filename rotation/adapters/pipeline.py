"""The HTTP pipeline of all Azure clients: timeouts, no retries, and Azure's clock.

SDK retries are off. Sending a regenerate or a set twice does harm, and the queue retries
everything else without blocking a worker.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport

from ..ports import Limits
from ..runtime import metrics as telemetry
from ..runtime.clock import Clock

TransportFactory = Callable[[], Any]

CONNECT_SECONDS = 5

_LEFT = "x-ms-ratelimit-remaining-subscription-writes"

_LONGEST = 300  # seconds that a Retry-After stops other visits; the one that got it waits for all

READ_SECONDS = 30


class NoRetryTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it lazily
    """A transport that sends every request once.

    aiohttp repeats a PUT if its connection breaks, which would create a second version of a
    secret. It has no public option to prevent that (see ``ClientSession._request``).
    """

    async def open(self) -> None:
        await super().open()
        if self.session is not None:
            self.session._retry_connection = False


def no_retry_transport() -> NoRetryTransport:
    """Return a transport that never retries."""
    return NoRetryTransport(connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)


class DatePolicy(SansIOHTTPPolicy[Any, Any]):
    """Feeds the Date header to the clock and counts 429 responses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        self._clock.observe(response.http_response.headers.get("Date"))
        if response.http_response.status_code == 429:
            telemetry.throttled(_service(request.http_request.url))


class LimitsPolicy(SansIOHTTPPolicy[Any, Any]):
    """Reports the answers 429 of one place, and the writes that Resource Manager has left for it.

    Key Vault sends neither a number nor Retry-After.
    """

    def __init__(self, limits: Limits, place: str, clock: Clock) -> None:
        self._limits, self._place, self._clock = limits, place, clock

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        headers, now = response.http_response.headers, self._clock.now()
        if response.http_response.status_code == 429:
            asked = _number(headers.get("Retry-After"))
            pause = timedelta(seconds=min(asked, _LONGEST)) if asked else None
            self._limits.refused(self._place, pause, now)
        left = _number(headers.get(_LEFT))
        if left is not None:
            self._limits.left(self._place, left, now)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _service(url: str) -> str:
    """Return ``vault.azure.net`` for a vault's URL, so that there are few values."""
    host = urlsplit(url).hostname or ""
    return host.partition(".")[2] if host.count(".") > 2 else host


def observing(clock: Clock, limits: Limits | None, place: str) -> list[Any]:
    """Return the policies that learn from all answers of one place."""
    found: list[Any] = [DatePolicy(clock)]
    return [*found, LimitsPolicy(limits, place, clock)] if limits else found


def client_options(clock: Clock, **more: Any) -> dict[str, Any]:
    """Return keyword arguments for any client that is built on azure-core."""
    return {
        "retry_total": 0,
        "permit_redirects": False,
        "logging_enable": False,
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "per_call_policies": [DatePolicy(clock)],
        **more,
    }


def storage_options() -> dict[str, Any]:
    """Return keyword arguments for storage clients, whose default retries outlast a lease."""
    return {
        "retry_total": 0,
        "logging_enable": False,
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
    }
