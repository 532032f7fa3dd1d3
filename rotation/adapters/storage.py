"""Where the storage is: the host's own connection settings, by identity.

A connection string holds a key, so none is accepted but that of the local emulator, Azurite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

NAME = "AzureWebJobsStorage"
_DEVELOPMENT = "UseDevelopmentStorage=true"
_AZURITE = "devstoreaccount1"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class StorageSettings:
    """Two URLs, or (Azurite only) a connection string."""

    blob_url: str = ""
    queue_url: str = ""
    connection_string: str | None = field(default=None, repr=False)


def parse(
    environment: Mapping[str, str], suffix: str = "core.windows.net"
) -> StorageSettings | None:
    """None where no storage is configured. Raises ValueError that never repeats a key."""
    text = environment.get(NAME, "").strip()
    if text:
        return _local(text)
    account = environment.get(f"{NAME}__accountName", "").strip()
    blob = environment.get(f"{NAME}__blobServiceUri", "").strip()
    queue = environment.get(f"{NAME}__queueServiceUri", "").strip()
    if account:
        blob = blob or f"https://{account}.blob.{suffix}"
        queue = queue or f"https://{account}.queue.{suffix}"
    if not blob and not queue:
        return None
    if not blob or not queue:
        raise ValueError(
            f"{NAME}: set {NAME}__accountName, or both {NAME}__blobServiceUri and "
            f"{NAME}__queueServiceUri"
        )
    return StorageSettings(_https(blob, "blob"), _https(queue, "queue"))


def _https(url: str, kind: str) -> str:
    if urlsplit(url).scheme != "https" or urlsplit(url).query:
        raise ValueError(f"{NAME}__{kind}ServiceUri: write an https URL without a token")
    return url.rstrip("/")


def _local(text: str) -> StorageSettings:
    """Azurite's well-known account on this machine; its key is public and guards nothing."""
    if text.rstrip(";") == _DEVELOPMENT:
        return StorageSettings(connection_string=_DEVELOPMENT)
    parts = dict(part.partition("=")[::2] for part in text.split(";") if part)
    endpoints = [parts.get("BlobEndpoint", ""), parts.get("QueueEndpoint", "")]
    hosts = {urlsplit(endpoint).hostname for endpoint in endpoints}
    if parts.get("AccountName") == _AZURITE and hosts <= _LOOPBACK:
        return StorageSettings(connection_string=text)
    raise ValueError(
        f"{NAME}: a connection string holds a key; remove it, set {NAME}__accountName to the "
        "storage account's name and give the service's identity the roles Storage Blob Data "
        "Contributor and Storage Queue Data Contributor"
    )


def services(
    settings: StorageSettings, credential: AsyncTokenCredential, options: Mapping[str, Any]
) -> tuple[BlobServiceClient, QueueServiceClient]:
    """Clients for both services; the storage SDKs are imported here, where they are used."""
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

    if settings.connection_string:
        text = settings.connection_string
        blobs = BlobServiceClient.from_connection_string(text, **options)
        return blobs, QueueServiceClient.from_connection_string(text, **options)
    return (
        BlobServiceClient(settings.blob_url, credential, **options),
        QueueServiceClient(settings.queue_url, credential, **options),
    )
