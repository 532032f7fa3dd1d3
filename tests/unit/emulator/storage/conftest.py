"""Clients of a storage account, for principals with the roles that a test chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient, BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from emulator.azure import Azure
from emulator.sdk.transport import EmulatorTransport

from ..conftest import Credential

BLOBS, QUEUES = "https://stdemo.blob.core.windows.net", "https://stdemo.queue.core.windows.net"
ALL = ("Storage Blob Data Contributor", "Storage Queue Data Contributor")
Clients = Callable[..., tuple[BlobServiceClient, QueueServiceClient]]


@pytest.fixture
def account(azure: Azure) -> str:
    return azure.add_storage("stdemo").id


@pytest.fixture
def clients(azure: Azure, account: str, transport: EmulatorTransport) -> Clients:
    """A function that returns clients of a new principal with these roles."""

    def made(*roles: str) -> tuple[BlobServiceClient, QueueServiceClient]:
        principal = azure.add_principal(f"p{len(azure.identity.principals)}")
        for role in roles:
            principal.assign(role, account)
        options: dict[str, Any] = {"transport": transport, "retry_total": 0}
        credential: Any = Credential(azure, principal)
        return (
            BlobServiceClient(BLOBS, credential, **options),
            QueueServiceClient(QUEUES, credential, **options),
        )

    return made


@pytest.fixture
def blob(clients: Clients) -> BlobClient:
    container = clients(*ALL)[0].get_container_client("journal")
    container.create_container()
    return container.get_blob_client("a")


@pytest.fixture
def queue(clients: Clients) -> QueueClient:
    found = clients(*ALL)[1].get_queue_client("work")
    found.create_queue()
    return found


def refused(call: Callable[[], object]) -> tuple[int | None, str]:
    """Return the status and code of the error that a call raises."""
    with pytest.raises(HttpResponseError) as caught:
        call()
    code: Any = caught.value.error_code  # type: ignore[attr-defined]
    return caught.value.status_code, str(getattr(code, "value", code))
