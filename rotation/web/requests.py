"""An HTTP request, independent of the host that received it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from ..domain.access import Caller
from .errors import BadRequest

if TYPE_CHECKING:
    from ..service.service import Service

MAX_WAIT = timedelta(seconds=100)  # App Service closes a connection after 230 s


@dataclass(frozen=True)
class HttpRequest:
    """An incoming request. Header names are case-insensitive."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the header's value, empty if absent."""
        wanted = name.lower()
        return next((v for n, v in self.headers.items() if n.lower() == wanted), "")


@dataclass(frozen=True)
class Call:
    """An authorised request."""

    request: HttpRequest
    caller: Caller
    service: Service

    def param(self, name: str) -> str:
        """Return a parameter of the path, empty if absent."""
        return self.request.params.get(name, "")

    def query(self, name: str) -> str:
        """Return a parameter of the query without surrounding blanks, empty if absent."""
        return self.request.query.get(name, "").strip()

    @property
    def wait(self) -> timedelta:
        """The time that the client wants to wait for the outcome (RFC 7240), at most 100 s.

        Raises BadRequest.
        """
        for preference in self.request.header("Prefer").split(","):
            name, _, seconds = preference.strip().partition("=")
            if name.lower() == "wait":
                return _seconds(seconds)
        return timedelta()


def _seconds(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise BadRequest(["Prefer: must be wait= and a number of seconds"])
    return min(timedelta(seconds=int(text)), MAX_WAIT)
