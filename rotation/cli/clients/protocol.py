"""The interface of an API client, and the call that every command makes through it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .. import interruption
from ..exit_status import CommandError, ExitStatus, from_problem

# App Service authentication answers with these when a token is missing or rejected.
_AUTHENTICATION_STATUSES = (301, 302, 303, 307, 401, 403)


@dataclass(frozen=True)
class ApiRequest:
    """A request to one route; ``path`` is below ``/api/``."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class ApiClient(Protocol):
    """A client for the rotation API."""

    async def send(self, request: ApiRequest) -> tuple[int, str]:
        """Return the HTTP status and body. Raises CommandError if the service is unreachable."""

    async def close(self) -> None: ...


async def call(
    client: ApiClient,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Return the response's JSON. Raises CommandError for an error response."""
    data = json.dumps(body).encode() if body is not None else b""
    status, text = await client.send(ApiRequest(method, path, query or {}, headers or {}, data))
    response = _parse(status, text)
    if status >= 400 and not (path == "health" and status == 503):
        raise from_problem(status, response)
    return response


async def change(
    client: ApiClient,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    look: str,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Call to change something. ``look`` is the command that shows whether that was accepted."""
    with interruption.explained("The request may have been accepted.", f"Look: {look}"):
        return await call(client, method, path, body, query=query, headers=headers)


def _parse(status: int, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise _not_from_the_service(status) from None


def _not_from_the_service(status: int) -> CommandError:
    if status in _AUTHENTICATION_STATUSES:
        return CommandError(
            ExitStatus.REFUSED,
            f"App Service authentication rejected the request (HTTP {status}).",
            "Sign in with az login; check ROTATION_SCOPE and your app role (docs/deploy.md).",
        )
    return CommandError(
        ExitStatus.UNREACHABLE,
        f"Unexpected response (HTTP {status}): this does not look like the rotation service.",
        "Check the URL.",
    )
