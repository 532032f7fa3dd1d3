"""A stored document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """A stored document and the ETag that the next write must present."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as a listing shows it: its name, a stamp that changes with it, and its index."""

    name: str
    stamp: str
    index: str = ""
