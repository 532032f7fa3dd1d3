"""A client for secrets, and requests without a client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient

from emulator.azure import Azure
from emulator.core.wire import Headers, Request, Response
from emulator.sdk.transport import EmulatorTransport

from ..conftest import Credential

URL = "https://kv-demo.vault.azure.net"


@pytest.fixture
def client(credential: Credential, transport: EmulatorTransport) -> Iterator[SecretClient]:
    with SecretClient(URL, credential, transport=transport, retry_total=0) as client:
        yield client


def inner(exc: HttpResponseError) -> Any:
    """Return the inner code of an SDK's error."""
    return exc.error.innererror["code"] if exc.error and exc.error.innererror else None


def get(azure: Azure, path: str, **more: str) -> Response:
    """Send a GET request as the administrator; ``more`` are headers."""
    token = azure.identity.issue(azure.identity.principals[0], "https://vault.azure.net")
    headers = Headers({"Authorization": f"Bearer {token}"} | more)
    return azure.handle(Request("GET", f"{URL}{path}?api-version=2026-04-01", headers))
