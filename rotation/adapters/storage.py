"""Clients for the Functions host's storage account, and their errors as errors of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError

from ..domain.errors import Conflict, Permanent, RotationError, Transient, Unknown, of_service
from ..settings.storage import StorageSettings
from .sdk_errors import failure

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

# The newest version that Azurite 3.35 accepts; the clients' default is newer.
_EMULATOR_API = "2025-11-05"

_CONFLICTS = frozenset({"BlobAlreadyExists", "ConditionNotMet"})


def services(
    settings: StorageSettings, credential: AsyncTokenCredential, options: Mapping[str, Any]
) -> tuple[BlobServiceClient, QueueServiceClient]:
    """Return clients for ``BlobStore`` and ``StorageQueue``, which close them.

    ``options`` apply to both, so they share a transport.
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
    """Return the storage error code, such as BlobNotFound, or an empty text."""
    code = getattr(exc, "error_code", None)
    return str(getattr(code, "value", code) or "")


def failed(exc: AzureError, doing: str, role: str, *, effect: bool = False) -> RotationError:
    """Return the error to raise ``from None``; a 403 names ``role`` as missing.

    With ``effect``, a call that may have had its effect is Unknown. All but a conflict are faults
    of the service.
    """
    found = _failed(exc, doing, role, effect)
    return found if isinstance(found, Conflict) else of_service(found)


def _failed(exc: AzureError, doing: str, role: str, effect: bool) -> RotationError:
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
        remedy += ", and allow the service through its firewall"
    return Permanent(message, code=code, remedy=remedy)
