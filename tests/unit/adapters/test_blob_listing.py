"""Pages of a blob listing: all of them, each blob with its tag and its metadata."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.transport import AsyncHttpTransport

from rotation.adapters import blob_listing
from rotation.adapters.blob_listing import ListedBlob

URL = "https://journal.blob.core.windows.net/rotation-journal"
FIRST = """<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>
<Blob><Name>a</Name><Properties><Etag>0x1</Etag></Properties>
<Metadata><Write>w-1</Write><empty /></Metadata></Blob>
<Blob><Name>b</Name><Properties /></Blob>
</Blobs><NextMarker>m 2</NextMarker></EnumerationResults>"""
LAST = """<EnumerationResults><Blobs><Blob><Name>c</Name></Blob></Blobs><NextMarker />
</EnumerationResults>"""


class Storage(AsyncHttpTransport[Any, Any]):
    """Answers with pages, and notes the requests."""

    def __init__(self, *pages: str, status: int = 200) -> None:
        self.pages, self.status = [*pages], status
        self.requests: list[Any] = []

    async def send(self, request: Any, **options: Any) -> Any:
        self.requests.append(request)

        async def read() -> bytes:
            return b""

        return SimpleNamespace(
            status_code=self.status,
            content=self.pages.pop(0).encode(),
            headers={"x-ms-error-code": "ContainerNotFound"},
            reason="no",
            read=read,
            request=request,
        )

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aexit__(self, *details: object) -> None:
        """Nothing to close."""


async def listed(storage: Storage) -> list[ListedBlob]:
    pipeline: Any = AsyncPipeline(storage, [])
    container: Any = SimpleNamespace(url=URL, api_version="2025-01-05", _pipeline=pipeline)
    return [blob async for blob in blob_listing.blobs(container, "emergency-")]


async def test_all_pages_are_read_until_there_is_no_marker() -> None:
    storage = Storage(FIRST, LAST)
    assert await listed(storage) == [
        ListedBlob("a", "0x1", {"write": "w-1", "empty": ""}),
        ListedBlob("b", "", {}),
        ListedBlob("c", "", {}),
    ]
    first, second = storage.requests
    query = "restype=container&comp=list&include=metadata&prefix=emergency-&maxresults=5000"
    assert first.url == f"{URL}?{query}"
    assert second.url.startswith(f"{URL}?{query}&marker=m")
    assert (first.method, first.headers["x-ms-version"]) == ("GET", "2025-01-05")


async def test_an_error_has_the_code_of_azure_storage() -> None:
    with pytest.raises(HttpResponseError) as caught:
        await listed(Storage("", status=404))
    assert vars(caught.value)["error_code"] == "ContainerNotFound"


async def test_a_page_that_is_not_xml_is_an_error_of_the_response() -> None:
    with pytest.raises(ServiceResponseError, match="not XML"):
        await listed(Storage("<EnumerationResults>"))
