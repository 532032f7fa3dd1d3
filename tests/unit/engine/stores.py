"""Stores for tests of the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from rotation.adapters.file_store import FileStore
from rotation.domain.document import Document


class SharedStore(FileStore):
    """A store in which other writers act: one of ``others`` after each read of ``contested``.

    ``reads`` and ``writes`` are the names of the documents, in order.
    """

    def __init__(self, directory: Path, contested: str = "") -> None:
        super().__init__(directory)
        self.contested = contested
        self.others: list[Callable[[], Awaitable[object]]] = []
        self.reads: list[str] = []
        self.writes: list[str] = []

    async def read(self, name: str) -> Document | None:
        self.reads.append(name)
        found = await super().read(name)
        if name == self.contested and self.others:
            await self.others.pop(0)()
        return found

    async def write(self, name: str, body: bytes, etag: str | None, index: str = "") -> str:
        made = await super().write(name, body, etag, index)
        self.writes.append(name)
        return made

    async def put(self, name: str, body: bytes) -> None:
        """Write a document as another process does, over any present one."""
        found = await super().read(name)
        await super().write(name, body, found.etag if found else None)
