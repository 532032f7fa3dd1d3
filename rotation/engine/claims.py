"""Idempotency keys in use: one document for each caller and key, written by compare-and-swap."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from ..domain import codec
from ..domain.document import Document
from ..domain.errors import Conflict
from ..ports import Store

_PREFIX = "key-"

_FORMAT = 1


class Claim(Struct, frozen=True):
    """The digest of the request that a key was first used for. Only digests are stored."""

    request: str
    at: datetime
    format: int = _FORMAT


class Claims:
    """Ties each idempotency key to one request, also across accounts and batches."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, key: str, request: str, now: datetime) -> bool:
        """Return whether a key stands for this request, as it does for the first that used it.

        ``key`` and ``request`` are digests. Raises RotationError if the store fails.
        """
        name, claim = _PREFIX + key, Claim(request, now)
        document = await self._store.read(name)
        if document is None:
            try:
                await self._store.write(name, codec.dump(claim), None)
            except Conflict:
                document = await self._store.read(name)
        return document is None or _request_of(document) in (None, request)


def _request_of(document: Document) -> str | None:
    """Return the digest, or None if the document cannot be read: it refuses nothing."""
    try:
        return codec.load(Claim, document.body).request
    except ValueError:
        return None
