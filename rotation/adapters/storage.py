"""Clients for the Functions host's storage, and what their errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError

from ..domain.errors import Conflict, Permanent, RotationError, Transient, Unknown
from ..settings.storage import StorageSettings
from .sdk_errors import failure

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

# The newest that Azurite 3.35 knows; the clients' own default is newer and refused by it.
_EMULATOR_API = "2025-11-05"

_CONFLICTS = frozenset({"BlobAlreadyExists", "ConditionNotMet"})


def services(
    settings: StorageSettings, credential: AsyncTokenCredential, options: Mapping[str, Any]
) -> tuple[BlobServiceClient, QueueServiceClient]:
    """Clients for both services, for ``BlobStore`` and ``StorageQueue``, which close them.

    ``options`` go to both; a transport among them is shared. The SDKs are imported here only.
    """
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

    if settings.connection_string:
        text, given = settings.connection_string, {"api_version": _EMULATOR_API, **options}
        blobs = BlobServiceClient.from_connection_string(text, **given)
        return blobs, QueueServiceClient.from_connection_string(text, **given)
    return (
        BlobServiceClient(settings.blob_url, credential, **options),
        QueueServiceClient(settings.queue_url, credential, **options),
    )


def code_of(exc: AzureError) -> str:
    """The storage error code, such as BlobNotFound; empty where there is none."""
    code = getattr(exc, "error_code", None)
    return str(getattr(code, "value", code) or "")


def failed(exc: AzureError, doing: str, role: str, *, effect: bool = False) -> RotationError:
    """What ``exc`` means for the caller; raise it ``from None``. ``role`` is what a 403 lacks.

    With ``effect``, whatever may have been carried out is Unknown.
    """
    found = failure(exc, doing, effect=effect)
    status = getattr(exc, "status_code", None)
    if status is None or isinstance(found, Unknown):
        return found
    code = code_of(exc) or f"HTTP{status}"
    message = f"{doing}: {status} {code}"
    if code in _CONFLICTS:
        return Conflict(message, code=code)
    if isinstance(found, Transient):
        return Transient(message, code=code, retry_after=found.retry_after)
    if status == 409:
        return Transient(message, code=code)
    remedy = "correct the storage account and the names in the settings"
    if status == 403:
        remedy = f"grant the service's identity the role {role} on the storage account"
        remedy += ", and let the service through its firewall"
    return Permanent(message, code=code, remedy=remedy)
