"""The stores and queues under contract, and transports that lose or repeat what they send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport

from rotation.adapters import storage
from rotation.adapters.file_store import FileStore
from rotation.ports import Store
from rotation.settings import storage as connection
from rotation.settings.storage import StorageSettings

NO_CREDENTIAL: Any = None


class BadNetwork(AioHttpTransport):  # type: ignore[misc]  # loaded lazily, so untyped
    """Loses as many answers to PUT as it is told to, or lets each PUT arrive twice."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lost_answers = 0
        self.lost_requests = 0
        self.twice = False

    async def send(self, request: Any, **kwargs: Any) -> Any:
        put = request.method == "PUT" and "comp=" not in request.url
        if put and self.lost_requests:
            self.lost_requests -= 1
            raise ServiceResponseError("the request is lost")
        if put and self.twice:
            await super().send(request, **kwargs)
            request.data.seek(0) if hasattr(request.data, "seek") else None
        response = await super().send(request, **kwargs)
        if put and self.lost_answers:
            self.lost_answers -= 1
            raise ServiceResponseError("the answer is lost")
        return response


@dataclass
class StoreUnderTest:
    """One store, further clients of the same documents, and time."""

    kind: str
    place: str
    container: str
    store: Store
    another: Callable[[], Store]
    outlive_lease: Callable[[], Awaitable[None]]


@dataclass
class _Time:
    now: float = 1_800_000_000.0

    async def pass_lease(self) -> None:
        self.now += 15.1


@dataclass
class Blobs:
    """Blob stores on Azurite, closed at the end."""

    connection_string: str
    container: str = field(default_factory=lambda: f"journal-{uuid4().hex[:8]}")
    stores: list[Any] = field(default_factory=list)

    def store(self, **options: Any) -> Any:
        from rotation.adapters.blob_store import BlobStore

        blobs, queues = storage.services(self.settings, NO_CREDENTIAL, options)
        store = BlobStore(blobs, self.container)
        self.stores += [store, queues]
        return store

    @property
    def settings(self) -> StorageSettings:
        found = connection.parse({"AzureWebJobsStorage": self.connection_string})
        assert found is not None
        return found

    async def close(self) -> None:
        for store in self.stores:
            await store.close()


@pytest.fixture
async def blobs(azurite: str) -> AsyncIterator[Blobs]:
    blobs = Blobs(azurite)
    yield blobs
    await blobs.close()


@pytest.fixture(params=["files", pytest.param("blobs", marks=pytest.mark.azurite)])
async def under_test(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[StoreUnderTest]:
    if request.param == "files":
        time, place = _Time(), tmp_path / "journal"

        def another() -> Store:
            return FileStore(place, lambda: time.now)

        yield StoreUnderTest("files", str(place), "", another(), another, time.pass_lease)
        return
    blobs = Blobs(request.getfixturevalue("azurite"))

    async def wait() -> None:
        await asyncio.sleep(16)

    yield StoreUnderTest(
        "blobs", blobs.connection_string, blobs.container, blobs.store(), blobs.store, wait
    )
    await blobs.close()


@pytest.fixture
def store(under_test: StoreUnderTest) -> Store:
    return under_test.store
