"""Containers and block blobs: conditional writes, ranges, listings and leases."""

from __future__ import annotations

import base64
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from ...core.clock import Clock
from ...core.wire import Headers, Request, Response
from . import conditions
from .errors import StorageError
from .lease_requests import perform
from .leases import Lease

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_METADATA = "x-ms-meta-"

# List Blobs and Set Blob Metadata, in the REST reference.
PAGE, _MOST_METADATA = 5000, 8192


@dataclass
class Blob:
    """A block blob; ``metadata`` has the headers with their prefix."""

    body: bytes
    etag: str
    created: datetime
    modified: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/octet-stream"
    lease: Lease = field(default_factory=Lease)


@dataclass
class Blobs:
    """The containers of one account, each with its blobs by name."""

    clock: Clock
    containers: dict[str, dict[str, Blob]] = field(default_factory=dict)
    _writes: int = 0

    def create(self, container: str) -> Response:
        if container in self.containers:
            raise StorageError(409, "ContainerAlreadyExists")
        self.containers[container] = {}
        return Response(201, self._stamp(self._etag()))

    def list(self, container: str, request: Request) -> Response:
        """List blobs in the order of their names, 5,000 a page; the marker names the next one."""
        query = request.query
        prefix, size = query.get("prefix", ""), _page_size(query.get("maxresults"))
        found = self._container(container)
        names = sorted(name for name in found if name.startswith(prefix))
        rest = names[bisect_left(names, _marked(query.get("marker", ""))) :]
        with_metadata = "metadata" in query.get("include", "").split(",")
        items = "".join(_item(name, found[name], with_metadata) for name in rest[:size])
        given = f"<MaxResults>{size}</MaxResults>" if "maxresults" in query else ""
        marker = _marker(rest[size]) if len(rest) > size else ""
        xml = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f'<EnumerationResults ContainerName="{container}"><Prefix>{escape(prefix)}</Prefix>'
            f"{given}<Blobs>{items}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
        )
        return Response(200, Headers({"Content-Type": "application/xml"}), xml.encode())

    def put(self, container: str, name: str, request: Request) -> Response:
        blobs, headers = self._container(container), request.headers
        old = blobs.get(name)
        conditions.check_write(old.etag if old else None, headers)
        now = self.clock.now()
        if old:
            self._check_lease(old, request)
            old.lease.written(now)
        metadata = _metadata_of(request)
        kind = headers.get("x-ms-blob-content-type", "application/octet-stream")
        lease, created = (old.lease, old.created) if old else (Lease(), now)
        blobs[name] = Blob(request.body, self._etag(), created, now, metadata, kind, lease)
        return Response(201, self._stamp(blobs[name].etag))

    def get(self, container: str, name: str, request: Request) -> Response:
        blob = self._find(container, name)
        conditions.check_read(blob.etag, request.headers)
        self._check_lease(blob, request)
        headers = self._headers(blob)
        asked = request.headers.get("x-ms-range") or request.headers.get("Range")
        match = _RANGE.fullmatch(asked or "")
        if request.method == "HEAD" or match is None:
            headers["Content-Length"] = str(len(blob.body))
            return Response(200, headers, b"" if request.method == "HEAD" else blob.body)
        first, last = int(match[1]), int(match[2] or len(blob.body))
        if first >= len(blob.body):
            raise StorageError(416, "InvalidRange")
        part = blob.body[first : last + 1]
        headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{len(blob.body)}"
        return Response(206, headers, part)

    def set_metadata(self, container: str, name: str, request: Request) -> Response:
        blob = self._find(container, name)
        conditions.check_write(blob.etag, request.headers)
        self._check_lease(blob, request)
        blob.lease.written(self.clock.now())
        blob.metadata = _metadata_of(request)
        blob.etag, blob.modified = self._etag(), self.clock.now()
        return Response(200, self._stamp(blob.etag))

    def delete(self, container: str, name: str, request: Request) -> Response:
        blob = self._find(container, name)
        conditions.check_write(blob.etag, request.headers)
        self._check_lease(blob, request)
        del self.containers[container][name]
        return Response(202)

    def lease(self, container: str, name: str, request: Request) -> Response:
        blob = self._find(container, name)
        conditions.check_write(blob.etag, request.headers)
        status, headers = perform(blob.lease, request.headers, self.clock.now())
        return Response(status, Headers({**self._stamp(blob.etag, blob.modified), **headers}))

    def _container(self, name: str) -> dict[str, Blob]:
        if name not in self.containers:
            raise StorageError(404, "ContainerNotFound")
        return self.containers[name]

    def _find(self, container: str, name: str) -> Blob:
        found = self._container(container).get(name)
        if found is None:
            raise StorageError(404, "BlobNotFound")
        return found

    def _check_lease(self, blob: Blob, request: Request) -> None:
        given, now = str(request.headers.get("x-ms-lease-id", "")).lower(), self.clock.now()
        reads = request.method in ("GET", "HEAD")
        check = blob.lease.check_read if reads else blob.lease.check_write
        check(given, now)

    def _headers(self, blob: Blob) -> Headers:
        return Headers(
            {
                **self._stamp(blob.etag, blob.modified),
                **blob.metadata,
                "Content-Type": blob.content_type,
                "Accept-Ranges": "bytes",
                "x-ms-creation-time": format_datetime(blob.created, usegmt=True),
                "x-ms-blob-type": "BlockBlob",
                **{f"x-ms-lease-{n}": v for n, v in blob.lease.shown(self.clock.now()).items()},
            }
        )

    def _stamp(self, etag: str, modified: datetime | None = None) -> Headers:
        at = format_datetime(modified or self.clock.now(), usegmt=True)
        return Headers({"ETag": etag, "Last-Modified": at})

    def _etag(self) -> str:
        self._writes += 1
        return f'"0x8DE{self._writes:012X}"'


def _metadata_of(request: Request) -> dict[str, str]:
    """Return the headers of a blob's metadata, with their prefix."""
    found = {n: v for n, v in request.headers.items() if n.startswith(_METADATA)}
    if sum(len(n) - len(_METADATA) + len(v) for n, v in found.items()) > _MOST_METADATA:
        raise StorageError(400, "MetadataTooLarge")
    return found


def _page_size(text: str | None) -> int:
    """Return how many blobs a page has; a number beyond the most counts as the most."""
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdecimal()) or not int(text):
        raise StorageError(400, "OutOfRangeQueryParameterValue")
    return min(int(text), PAGE)


def _marker(name: str) -> str:
    return f"2!{len(name)}!{base64.urlsafe_b64encode(name.encode()).decode()}"


def _marked(marker: str) -> str:
    """Return the name of the blob with which a page begins."""
    if not marker:
        return ""
    try:
        return base64.urlsafe_b64decode(marker.split("!")[2]).decode()
    except (ValueError, IndexError):
        raise StorageError(400, "InvalidQueryParameterValue") from None


def _metadata(blob: Blob) -> str:
    found = {name.removeprefix(_METADATA): text for name, text in blob.metadata.items()}
    items = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in found.items())
    return f"<Metadata>{items}</Metadata>" if items else "<Metadata />"


def _item(name: str, blob: Blob, with_metadata: bool) -> str:
    at = format_datetime(blob.modified, usegmt=True)
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>{at}</Last-Modified>"
        f"<Etag>{blob.etag.strip(chr(34))}</Etag><Content-Length>{len(blob.body)}</Content-Length>"
        f"<Content-Type>{blob.content_type}</Content-Type><BlobType>BlockBlob</BlobType>"
        f"</Properties>{_metadata(blob) if with_metadata else ''}</Blob>"
    )
