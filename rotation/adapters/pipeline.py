"""What all of our Azure clients have in common: timeouts, no retries, and Azure's clock.

No SDK retries anywhere: a regenerate or a set that is sent twice does harm, and everything else
is tried again by the queue, which neither blocks a worker nor forgets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport

from ..runtime import metrics as telemetry
from ..runtime.clock import Clock

TransportFactory = Callable[[], Any]

CONNECT_SECONDS = 5

READ_SECONDS = 30


class NoRetryTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it lazily
    """Sends every request once.

    aiohttp by itself repeats a PUT whose connection broke, which would make a second version of a
    secret; it has no public switch for that (see ``ClientSession._request``).
    """

    async def open(self) -> None:
        await super().open()
        if self.session is not None:
            self.session._retry_connection = False


def no_retry_transport() -> NoRetryTransport:
    """A transport for calls that must not be repeated behind our back."""
    return NoRetryTransport(connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)


class DatePolicy(SansIOHTTPPolicy[Any, Any]):
    """Shows every answer's Date to the clock, and counts those that ask for less haste."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        self._clock.observe(response.http_response.headers.get("Date"))
        if response.http_response.status_code == 429:
            telemetry.throttled(_service(request.http_request.url))


def _service(url: str) -> str:
    """``vault.azure.net`` of ``https://my-vault.vault.azure.net/…``; few, whatever the fleet."""
    host = urlsplit(url).hostname or ""
    return host.partition(".")[2] if host.count(".") > 2 else host


def client_options(clock: Clock, **more: Any) -> dict[str, Any]:
    """Keyword arguments for any client that is built on azure-core."""
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
    """The storage SDKs' own default retries wait longer than a lease lasts."""
    return {
        "retry_total": 0,
        "logging_enable": False,
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
    }
