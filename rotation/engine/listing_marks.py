"""Marks of the vaults' listings: a change of a tag that every instance must see at once.

A publish needs no mark, because the account's record contains it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct, field
from msgspec.structs import replace

from ..domain import codec
from ..domain.document import Document
from ..ports import Store
from .swap import amended

_NAME = "listings"


class Marks(Struct, frozen=True):
    """The stored document: a random mark by the vault's URL. Losing it is harmless."""

    format: int = 1
    marks: Mapping[str, str] = field(default_factory=dict)


class ListingMarks:
    """A listing whose mark has changed since it was made is too old to be shown."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> Mapping[str, str]:
        """Return the marks by the vault's URL. Raises RotationError if the store fails."""
        return _loaded(await self._store.read(_NAME)).marks

    async def renew(self, vault: str) -> None:
        """Make all instances list the vault again. Raises RotationError if the store fails."""
        mark = secrets.token_hex(8)

        async def load() -> tuple[Marks, str | None]:
            document = await self._store.read(_NAME)
            return _loaded(document), document.etag if document else None

        async def save(changed: Marks, etag: str | None) -> None:
            await self._store.write(_NAME, codec.dump(changed), etag)

        await amended(load, save, lambda m: replace(m, marks={**m.marks, vault: mark}))


def _loaded(document: Document | None) -> Marks:
    with suppress(ValueError):
        return codec.load(Marks, document.body) if document else Marks()
    return Marks()
