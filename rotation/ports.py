"""What the core needs from the outside: what each call returns and raises, nothing else.

All raise only the errors of ``errors.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol


@dataclass(frozen=True)
class Document:
    """A stored document and the tag that its next write must present."""

    body: bytes
    etag: str


class Store(Protocol):
    """Named documents with compare-and-swap, and leases that save work (never safety).

    Names are ``[a-z0-9-]+``.
    """

    async def read(self, name: str) -> Document | None:
        """The document, or None where there is none."""

    async def write(self, name: str, body: bytes, etag: str | None) -> str:
        """Write if unchanged since ``etag`` (None: if absent) and return the new etag.

        Raises Conflict if it changed. A write whose answer was lost is reconciled here.
        """

    def names(self) -> AsyncIterator[str]:
        """All names, in no particular order."""

    def lease(self, name: str, duration: timedelta) -> AbstractAsyncContextManager[bool]:
        """Try to be the only worker on ``name``; yields whether that succeeded; never waits.

        ``duration`` is 15 s to 60 s, as with blob leases; released on exit.
        """


class Queue(Protocol):
    """Durable waiting: messages that become visible after a delay, delivered at least once."""

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        """Enqueue; ``delay`` is cut to 7 days less a minute."""


class Notifier(Protocol):
    """Tells the outside what happened."""

    async def send(self, event: Mapping[str, Any]) -> None:
        """Publish one CloudEvent, given as ``id``, ``type``, ``subject``, ``time`` and ``data``."""
