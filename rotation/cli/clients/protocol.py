"""How a command gets at the service: its HTTP API, or the same routes in this very process.

Commands see only ``Reach``, so that they mean the same either way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..exit_status import Exit, Failed, refused

# App Service answers these itself, without a body of ours: no token, or none that it believes.
_AT_THE_DOOR = (301, 302, 303, 307, 401, 403)


@dataclass(frozen=True)
class Question:
    """What is asked of one route; ``path`` is below ``/api/``."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Reach(Protocol):
    """Somebody who answers."""

    async def send(self, asked: Question) -> tuple[int, str]:
        """The HTTP status and the body. Raises Failed where nobody answers."""

    async def close(self) -> None: ...


async def ask(
    reach: Reach,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """The answer's JSON. Raises Failed with the problem's own words."""
    data = json.dumps(body).encode() if body is not None else b""
    status, text = await reach.send(Question(method, path, query or {}, headers or {}, data))
    found = _json(status, text)
    if status >= 400 and not (path == "health" and status == 503):
        raise refused(status, found)
    return found


def _json(status: int, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        if status in _AT_THE_DOOR:
            advice = "az login, and check ROTATION_SCOPE and your app role (docs/deploy.md)"
            raise Failed(Exit.REFUSED, f"the platform let nobody in ({status})", advice) from None
        message = f"the answer is not from this service (HTTP {status})"
        raise Failed(
            Exit.UNREACHABLE, message, "check the URL and that you are signed in"
        ) from None
