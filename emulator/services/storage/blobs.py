"""Containers and block blobs: conditional writes, ranges, listings and leases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from ...core.clock import Clock
from ...core.wire import Headers, Request, Response
from . import blob_listing, conditions
from .blob import METADATA, Blob
from .errors import StorageError
from .lease_requests import perform
from .leases import Lease
from .listings import listed

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")

# Set Blob Metadata, in the REST reference.
_MOST_METADATA = 8192


@dataclass
class Blobs:
    """The containers of one account, each with its blobs by name, and when it was made."""

    clock: Clock
    containers: dict[str, dict[str, Blob]] = field(default_factory=dict)
    stamps: dict[str, Headers] = field(default_factory=dict)
    _writes: int = 0

    def create(self, container: str) -> Response:
        if container in self.containers:
            raise StorageError(409, "ContainerAlreadyExists")
        self.containers[container], self.stamps[container] = {}, self._stamp(self._etag())
        return Response(201, self.stamps[container])

    def list(self, container: str, request: Request) -> Response:
        found = blob_listing.page(container, self._container(container), request, self.clock.now())
        return Response(200, Headers({"Content-Type": "application/xml"}), found.encode())

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

    def describe(self, container: str) -> Response:
        """Show a container's properties; containers have no leases here."""
        self._container(container)
        lease = {f"x-ms-lease-{n}": v for n, v in Lease().shown(self.clock.now()).items()}
        return Response(200, Headers({**self.stamps[container], **lease}))

    def drop(self, container: str) -> Response:
        """Delete a container with its blobs."""
        self._container(container)
        del self.containers[container], self.stamps[container]
        return Response(202)

    def list_containers(self, request: Request) -> Response:
        prefix = request.query.get("prefix", "")
        found = ((n, s) for n, s in sorted(self.stamps.items()) if n.startswith(prefix))
        return listed("Containers", (_container_item(name, stamp) for name, stamp in found))

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
    found = {n: v for n, v in request.headers.items() if n.startswith(METADATA)}
    if sum(len(n) - len(METADATA) + len(v) for n, v in found.items()) > _MOST_METADATA:
        raise StorageError(400, "MetadataTooLarge")
    return found


def _container_item(name: str, stamp: Headers) -> str:
    return (
        f"<Container><Name>{name}</Name><Properties><Last-Modified>{stamp['Last-Modified']}"
        f"</Last-Modified><Etag>{stamp['ETag'].strip(chr(34))}</Etag>"
        "</Properties></Container>"
    )
