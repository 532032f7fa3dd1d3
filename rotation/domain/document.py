"""A stored document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """A stored document and the ETag that the next write must present."""

    body: bytes
    etag: str
