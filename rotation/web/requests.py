"""An HTTP call as the API sees it, whatever host it came through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ..domain.access import Caller
from ..service.service import Service
from .request_body import BadRequest

MAX_WAIT = timedelta(seconds=100)  # the platform cuts a call at 230 s


@dataclass(frozen=True)
class Request:
    """As it arrived. Names of headers compare without case."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        wanted = name.lower()
        return next((v for n, v in self.headers.items() if n.lower() == wanted), "")


@dataclass(frozen=True)
class Call:
    """A request that was let in."""

    request: Request
    caller: Caller
    service: Service

    def param(self, name: str) -> str:
        return self.request.params.get(name, "")

    def query(self, name: str) -> str:
        return self.request.query.get(name, "").strip()

    @property
    def wait(self) -> timedelta:
        """How long the client wants to wait for the outcome (RFC 7240), at most 100 s.

        Raises BadRequest.
        """
        for preference in self.request.header("Prefer").split(","):
            name, _, seconds = preference.strip().partition("=")
            if name.lower() == "wait":
                return _seconds(seconds)
        return timedelta()


def _seconds(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise BadRequest(["Prefer: write wait= and a number of seconds"])
    return min(timedelta(seconds=int(text)), MAX_WAIT)
