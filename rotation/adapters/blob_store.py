"""Documents as block blobs under ``accounts/``, with leases on separate blobs."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, BlobServiceClient

from ..domain.document import Document, Entry
from ..domain.errors import Conflict, RotationError, Transient, Unknown
from . import blob_listing
from .storage import code_of, failed
from .storage_limits import checked_name, is_name, lease_seconds

ROLE = "Storage Blob Data Contributor"

_DOCUMENTS, _LEASES = "accounts/", "leases/"

_WRITE, INDEX = "write", "index"

_ABSENT = frozenset({"BlobNotFound", "ContainerNotFound"})

_LEASED = frozenset({"LeaseAlreadyPresent", "LeaseIsBreakingAndCannotBeAcquired"})


class BlobStore:
    """A Store in a container, which the first write creates."""

    def __init__(self, service: BlobServiceClient, container: str) -> None:
        self._service = service
        self._container = service.get_container_client(container)

    async def read(self, name: str) -> Document | None:
        blob = self._blob(_DOCUMENTS, name)
        try:
            stream = await blob.download_blob()
            return Document(await stream.readall(), str(stream.properties.etag))
        except AzureError as exc:
            if code_of(exc) in _ABSENT:
                return None
            raise failed(exc, f"read document {name}", ROLE) from None

    async def write(self, name: str, body: bytes, etag: str | None, index: str = "") -> str:
        """Write a document, marked with a new id in the blob's metadata, where its index is too.

        The id also resolves conflicts: aiohttp repeats a PUT if a kept connection breaks, and the
        second one then conflicts with the first.
        """
        blob, write_id = self._blob(_DOCUMENTS, name), uuid.uuid4().hex
        try:
            metadata = {_WRITE: write_id, **({INDEX: index} if index else {})}
            return await self._upload(blob, body, etag, metadata)
        except AzureError as exc:
            if code_of(exc) == "BlobNotFound":
                raise Conflict(
                    f"write document {name}: it was deleted", code="BlobNotFound"
                ) from None
            error = failed(exc, f"write document {name}", ROLE, effect=True)
        if not isinstance(error, Conflict | Unknown):
            raise error
        return await self._resolve_unknown_write(blob, etag, write_id, error)

    async def stamps(self, prefix: str = "") -> AsyncIterator[tuple[str, str]]:
        try:
            async for blob in self._container.list_blobs(name_starts_with=_DOCUMENTS + prefix):
                name = blob.name.removeprefix(_DOCUMENTS)
                if is_name(name):
                    yield name, str(blob.etag)
        except AzureError as exc:
            if code_of(exc) not in _ABSENT:
                raise failed(exc, "list the documents", ROLE) from None

    async def entries(self, prefix: str = "") -> AsyncIterator[Entry]:
        try:
            async for blob in blob_listing.blobs(self._container, _DOCUMENTS + prefix):
                name = blob.name.removeprefix(_DOCUMENTS)
                if is_name(name):
                    yield Entry(name, blob.etag, blob.metadata.get(INDEX, ""))
        except AzureError as exc:
            if code_of(exc) not in _ABSENT:
                raise failed(exc, "list the documents", ROLE) from None

    @asynccontextmanager
    async def lease(self, name: str, duration: timedelta) -> AsyncIterator[bool]:
        """Lease a separate blob, so that writing the document needs no lease."""
        blob = self._blob(_LEASES, name)
        lease = BlobLeaseClient(blob, str(uuid.uuid4()))
        held = await self._acquire(lease, blob, lease_seconds(duration))
        try:
            yield held
        finally:
            if held:
                with suppress(AzureError):  # it expires anyway
                    await lease.release()

    async def close(self) -> None:
        await self._service.close()

    def _blob(self, folder: str, name: str) -> BlobClient:
        return self._container.get_blob_client(folder + checked_name(name))

    async def _upload(
        self, blob: BlobClient, body: bytes, etag: str | None, metadata: dict[str, str]
    ) -> str:
        condition: dict[str, Any] = {"overwrite": False}  # If-None-Match: *
        if etag is not None:
            condition = {
                "overwrite": True,
                "etag": etag,
                "match_condition": MatchConditions.IfNotModified,
            }
        try:
            done = await blob.upload_blob(body, metadata=metadata, **condition)
        except ResourceNotFoundError as exc:
            if code_of(exc) != "ContainerNotFound":
                raise
            with suppress(ResourceExistsError):
                await self._container.create_container()
            done = await blob.upload_blob(body, metadata=metadata, **condition)
        return str(done["etag"])

    async def _resolve_unknown_write(
        self, blob: BlobClient, etag: str | None, write_id: str, error: RotationError
    ) -> str:
        """Return the etag of our write if it succeeded after all; otherwise raise."""
        doing = f"write document {blob.blob_name}"
        try:
            found = await blob.get_blob_properties()
        except ResourceNotFoundError:
            found = None
        except AzureError:
            raise error from None
        if found and (found.metadata or {}).get(_WRITE) == write_id:
            return str(found.etag)
        if isinstance(error, Conflict):
            raise error
        if (str(found.etag) if found else None) == etag:
            raise Transient(f"{doing}: it was lost", code=error.code)
        raise Conflict(f"{doing}: it has changed", code="ConditionNotMet")

    async def _acquire(self, lease: BlobLeaseClient, blob: BlobClient, seconds: int) -> bool:
        try:
            try:
                await lease.acquire(seconds)
            except ResourceNotFoundError:
                await self._create(blob)
                await lease.acquire(seconds)
        except AzureError as exc:
            if code_of(exc) in _LEASED:
                return False
            raise failed(exc, f"lease {blob.blob_name}", ROLE) from None
        return True

    async def _create(self, blob: BlobClient) -> None:
        try:
            await self._upload(blob, b"", None, {})
        except AzureError as exc:
            if code_of(exc) not in ("BlobAlreadyExists", "LeaseIdMissing"):
                raise
