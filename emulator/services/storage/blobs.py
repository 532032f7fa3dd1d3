"""Containers and block blobs: conditional writes, ranges, listings and leases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from ...core.clock import Clock
from ...core.wire import Headers, Request, Response
from .errors import StorageError
from .leases import Lease

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_SECONDS = re.compile(r"[0-9]{1,2}")
_METADATA = "x-ms-meta-"


@dataclass
class Blob:
    """A block blob; ``metadata`` has the headers with their prefix."""

    body: bytes
    etag: str
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
        prefix = request.query.get("prefix", "")
        found = self._container(container)
        names = sorted(name for name in found if name.startswith(prefix))
        items = "".join(_item(name, found[name]) for name in names)
        xml = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f'<EnumerationResults ContainerName="{container}"><Prefix>{escape(prefix)}</Prefix>'
            f"<Blobs>{items}</Blobs><NextMarker /></EnumerationResults>"
        )
        return Response(200, Headers({"Content-Type": "application/xml"}), xml.encode())

    def put(self, container: str, name: str, request: Request) -> Response:
        blobs, headers = self._container(container), request.headers
        old = blobs.get(name)
        if old and headers.get("If-None-Match") == "*":
            raise StorageError(409, "BlobAlreadyExists")
        self._check_match(old, request)
        now = self.clock.now()
        if old:
            old.lease.check_write(headers.get("x-ms-lease-id", ""), now)
        metadata = {n: v for n, v in headers.items() if n.startswith(_METADATA)}
        kind = headers.get("x-ms-blob-content-type", "application/octet-stream")
        lease = old.lease if old else Lease()
        blobs[name] = Blob(request.body, self._etag(), now, metadata, kind, lease)
        return Response(201, self._stamp(blobs[name].etag))

    def get(self, container: str, name: str, request: Request) -> Response:
        blob = self._find(container, name)
        self._check_match(blob, request)
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

    def delete(self, container: str, name: str, request: Request) -> Response:
        blob = self._find(container, name)
        self._check_match(blob, request)
        blob.lease.check_write(request.headers.get("x-ms-lease-id", ""), self.clock.now())
        del self.containers[container][name]
        return Response(202)

    def lease(self, container: str, name: str, request: Request) -> Response:
        blob, headers, now = self._find(container, name), request.headers, self.clock.now()
        given, proposed = headers.get("x-ms-lease-id", ""), headers.get("x-ms-proposed-lease-id")
        more: dict[str, str] = {}
        status = 200
        match headers.get("x-ms-lease-action"):
            case "acquire":
                blob.lease.acquire(proposed or self._etag(), _number(request), now)
                status = 201
            case "renew":
                blob.lease.renew(given, now)
            case "change":
                blob.lease.change(given, proposed or "", now)
            case "release":
                blob.lease.release(given)
            case "break":
                wait = blob.lease.break_(_period(request), now)
                more, status = {"x-ms-lease-time": str(wait)}, 202
            case _:
                raise StorageError(400, "InvalidHeaderValue")
        more |= {"x-ms-lease-id": blob.lease.id} if blob.lease.id else {}
        return Response(status, Headers({**self._stamp(blob.etag), **more}))

    def _container(self, name: str) -> dict[str, Blob]:
        if name not in self.containers:
            raise StorageError(404, "ContainerNotFound")
        return self.containers[name]

    def _find(self, container: str, name: str) -> Blob:
        found = self._container(container).get(name)
        if found is None:
            raise StorageError(404, "BlobNotFound")
        return found

    def _check_match(self, blob: Blob | None, request: Request) -> None:
        wanted = request.headers.get("If-Match")
        if wanted and wanted != "*" and (blob is None or blob.etag != wanted):
            raise StorageError(412, "ConditionNotMet")

    def _headers(self, blob: Blob) -> Headers:
        return Headers(
            {
                **self._stamp(blob.etag, blob.modified),
                **blob.metadata,
                "Content-Type": blob.content_type,
                "Accept-Ranges": "bytes",
                "x-ms-blob-type": "BlockBlob",
                "x-ms-lease-state": blob.lease.state(self.clock.now()),
                "x-ms-lease-status": "locked"
                if blob.lease.is_held(self.clock.now())
                else "unlocked",
            }
        )

    def _stamp(self, etag: str, modified: datetime | None = None) -> Headers:
        at = format_datetime(modified or self.clock.now(), usegmt=True)
        return Headers({"ETag": etag, "Last-Modified": at})

    def _etag(self) -> str:
        self._writes += 1
        return f'"0x8DE{self._writes:012X}"'


def _number(request: Request) -> int:
    try:
        return int(request.headers.get("x-ms-lease-duration", "-1"))
    except ValueError:
        raise StorageError(400, "InvalidHeaderValue") from None


def _period(request: Request) -> int | None:
    """Return the seconds after which a broken lease ends, from 0 to 60; None if not given."""
    text = request.headers.get("x-ms-lease-break-period")
    if text is None:
        return None
    if not _SECONDS.fullmatch(text) or int(text) > 60:
        raise StorageError(400, "InvalidHeaderValue")
    return int(text)


def _item(name: str, blob: Blob) -> str:
    at = format_datetime(blob.modified, usegmt=True)
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>{at}</Last-Modified>"
        f"<Etag>{blob.etag.strip(chr(34))}</Etag><Content-Length>{len(blob.body)}</Content-Length>"
        f"<Content-Type>{blob.content_type}</Content-Type><BlobType>BlockBlob</BlobType>"
        "</Properties></Blob>"
    )
