"""A process that adds to a shared counter by compare-and-swap: ``counter.py KIND PLACE NAME N``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from rotation.adapters import storage
from rotation.adapters.file_store import FileStore
from rotation.domain.errors import Conflict
from rotation.ports import Store
from rotation.settings import storage as connection


async def add(store: Store) -> None:
    while True:
        found = await store.read("counter")
        body = str(int(found.body) + 1 if found else 1).encode()
        try:
            await store.write("counter", body, found.etag if found else None)
        except Conflict:
            continue
        return


async def main(kind: str, place: str, container: str, times: int) -> None:
    opened, store = _open(kind, place, container)
    for _ in range(times):
        await add(store)
    for one in opened:
        await one.close()


def _open(kind: str, place: str, container: str) -> tuple[list[Any], Store]:
    if kind == "files":
        return [], FileStore(place)
    from rotation.adapters.blob_store import BlobStore

    settings = connection.parse({"AzureWebJobsStorage": place})
    assert settings is not None
    nobody: Any = None
    blobs, queues = storage.services(settings, nobody, {})
    store = BlobStore(blobs, container)
    return [store, queues], store


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
