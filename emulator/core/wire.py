"""HTTP as plain data: requests and responses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# The address that every client seems to have.
CLIENT_ADDRESS = "203.0.113.7"


class Headers(dict[str, str]):
    """Headers with case-insensitive names, kept in lower case."""

    def __init__(self, items: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = items.items() if isinstance(items, Mapping) else items
        super().__init__((name.lower(), value) for name, value in pairs)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


@dataclass(frozen=True)
class Request:
    """One HTTP request; ``url`` is absolute, as the client wrote it."""

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def host(self) -> str:
        """Host name in lower case, without the port."""
        return (urlsplit(self.url).hostname or "").lower()

    @property
    def path(self) -> str:
        """Path as sent (still percent-encoded)."""
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        """Decoded query, its names in lower case; the last of repeated names wins."""
        pairs = parse_qsl(urlsplit(self.url).query, keep_blank_values=True)
        return {name.lower(): value for name, value in pairs}

    def json(self) -> Any:
        """Parse the body as strict JSON.

        Raises ValueError also for NaN, for text with half a surrogate pair, and for deep nesting.
        """
        try:
            found = json.loads(self.body, parse_constant=_refuse)
            json.dumps(found, ensure_ascii=False).encode()
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None
        return found


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


@dataclass(frozen=True)
class Response:
    """One HTTP response."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @classmethod
    def of_json(
        cls, status: int, body: object, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Return a response with a JSON body."""
        merged = Headers({"Content-Type": "application/json; charset=utf-8", **(headers or {})})
        return cls(status, merged, json.dumps(body).encode())


class Dropped(Exception):
    """The connection closes without a response."""
