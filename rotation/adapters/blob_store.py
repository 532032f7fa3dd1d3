"""A store in Azure Blob Storage: one blob a document, conditional writes, leases beside them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, BlobServiceClient, ContainerClient

from ..errors import Conflict, RotationError, Unknown
from ..ports import Document
from .failures import code_of, failure

_CHANGED = {"BlobAlreadyExists", "ConditionNotMet", "UnmodifiedSince", "BlobNotFound"}
_TAKEN = {"LeaseAlreadyPresent", "LeaseIsBreakingAndCannotBeAcquired"}
_DOCUMENTS, _LEASES = "accounts/", "leases/"
_WRITER = "writer"


class BlobStore:
    """Documents are blobs below ``accounts/``. The lease is on a blob of its own, so that a

    trigger may write a wish while a worker has the lease; compare-and-swap settles the rest.
    """

    def __init__(self, service: BlobServiceClient, container: str) -> None:
        self._service = service
        self._container: ContainerClient = service.get_container_client(container)
        self._exists = False

    async def read(self, name: str) -> Document | None:
        try:
            stream = await self._blob(_DOCUMENTS, name).download_blob()
            return Document(await stream.readall(), str(stream.properties.etag))
        except ResourceNotFoundError:
            return None
        except AzureError as exc:
            raise failure(exc, f"read the journal's document {name}") from None

    async def write(self, name: str, body: bytes, etag: str | None) -> str:
        writer = uuid.uuid4().hex
        try:
            return await self._put(name, body, etag, writer)
        except RotationError as exc:
            if not isinstance(exc, Unknown | Conflict):
                raise
            return await self._reconciled(name, writer, exc)

    async def _put(self, name: str, body: bytes, etag: str | None, writer: str) -> str:
        condition: dict[str, Any] = {"overwrite": False}
        if etag is not None:
            condition = {
                "overwrite": True,
                "etag": etag,
                "match_condition": MatchConditions.IfNotModified,
            }
        try:
            await self._ensure()
            blob = self._blob(_DOCUMENTS, name)
            written = await blob.upload_blob(body, metadata={_WRITER: writer}, **condition)
        except HttpResponseError as exc:
            if _error_code(exc) in _CHANGED:
                raise Conflict(f"document {name} has changed", code="Conflict") from None
            raise failure(exc, f"write the journal's document {name}", effect=True) from None
        except AzureError as exc:
            raise failure(exc, f"write the journal's document {name}", effect=True) from None
        return str(written["etag"])

    async def _reconciled(self, name: str, writer: str, exc: RotationError) -> str:
        """Did it go through after all? The blob says who wrote it last."""
        try:
            properties = await self._blob(_DOCUMENTS, name).get_blob_properties()
        except ResourceNotFoundError:
            raise Conflict(f"document {name} was not written", code="Conflict") from None
        except AzureError as again:
            raise failure(again, f"read the journal's document {name}") from None
        if properties.metadata.get(_WRITER) == writer:
            return str(properties.etag)
        raise Conflict(f"document {name} has changed", code="Conflict") from None

    async def names(self) -> AsyncIterator[str]:
        try:
            async for name in self._container.list_blob_names(name_starts_with=_DOCUMENTS):
                yield name.removeprefix(_DOCUMENTS)
        except ResourceNotFoundError:
            return
        except AzureError as exc:
            raise failure(exc, "list the journal") from None

    @asynccontextmanager
    async def lease(self, name: str, duration: timedelta) -> AsyncIterator[bool]:
        held = await self._acquire(name, int(duration.total_seconds()))
        try:
            yield held is not None
        finally:
            if held is not None:
                await _release(held)

    async def _acquire(self, name: str, seconds: int) -> BlobLeaseClient | None:
        blob = self._blob(_LEASES, name)
        try:
            return await blob.acquire_lease(seconds)
        except ResourceNotFoundError:
            pass
        except HttpResponseError as exc:
            if _error_code(exc) in _TAKEN:
                return None
            raise failure(exc, f"lease {name}") from None
        except AzureError as exc:
            raise failure(exc, f"lease {name}") from None
        await self._create(blob, name)
        return await self._acquire(name, seconds)

    async def _create(self, blob: BlobClient, name: str) -> None:
        try:
            await self._ensure()
            await blob.upload_blob(b"", overwrite=False)
        except HttpResponseError as exc:
            if _error_code(exc) not in _CHANGED | {"LeaseIdMissing"}:
                raise failure(exc, f"lease {name}") from None
        except AzureError as exc:
            raise failure(exc, f"lease {name}") from None

    async def _ensure(self) -> None:
        """Make the container on the first write."""
        if self._exists:
            return
        try:
            await self._container.create_container()
        except HttpResponseError as exc:
            if _error_code(exc) != "ContainerAlreadyExists":
                raise
        self._exists = True

    async def close(self) -> None:
        await self._service.close()

    def _blob(self, folder: str, name: str) -> BlobClient:
        return self._container.get_blob_client(folder + name)


async def _release(lease: BlobLeaseClient) -> None:
    try:
        await lease.release()
    except AzureError:
        return  # it runs out by itself


def _error_code(exc: HttpResponseError) -> str:
    return str(getattr(exc, "error_code", None) or code_of(exc)).removeprefix("StorageErrorCode.")
