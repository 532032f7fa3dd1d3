"""A client for accounts, and requests without a client."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from emulator.azure import SUBSCRIPTION, Azure
from emulator.core.identity import Principal
from emulator.core.wire import Headers, Request, Response
from emulator.sdk.transport import EmulatorTransport

from ..conftest import Credential


@pytest.fixture
def client(
    credential: Credential, transport: EmulatorTransport
) -> Iterator[CognitiveServicesManagementClient]:
    with CognitiveServicesManagementClient(
        credential, SUBSCRIPTION, transport=transport, retry_total=0
    ) as client:
        yield client


def failure(caught: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, str | None]:
    """Return the status and the code of an SDK's error."""
    return caught.value.status_code, caught.value.error.code if caught.value.error else None


def arm(
    azure: Azure,
    path: str,
    method: str = "GET",
    body: bytes = b"",
    principal: Principal | None = None,
) -> Response:
    """Send a request as the administrator, or as another principal."""
    caller = principal or azure.identity.principals[0]
    token = azure.identity.issue(caller, "https://management.azure.com/")
    headers = Headers({"Authorization": f"Bearer {token}"})
    url = f"https://management.azure.com{path}?api-version=2025-09-01"
    return azure.handle(Request(method, url, headers, body))


def code(response: Response) -> tuple[int, str]:
    """Return the status and the code of an error response."""
    return response.status, json.loads(response.body)["error"]["code"]
