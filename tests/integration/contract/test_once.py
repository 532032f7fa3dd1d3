"""A PUT whose connection breaks is sent once: a second one would be a second secret version."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from rotation.adapters.pipeline import NoRetryTransport, no_retry_transport


@pytest.mark.parametrize("method", ["PUT", "POST", "GET"])
async def test_a_broken_connection_is_not_tried_again(method: str) -> None:
    received = 0

    async def dropping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        await reader.readuntil(b"\r\n\r\n")
        received += 1
        writer.close()

    server = await asyncio.start_server(dropping, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport: NoRetryTransport = no_retry_transport()
    client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
        "", policies=[], transport=transport
    )
    async with server, client:
        with pytest.raises(AzureError):
            await client.send_request(HttpRequest(method, f"http://127.0.0.1:{port}/"))
    assert received == 1
