"""List Blobs: pages of blobs and of the prefixes that a delimiter makes, as XML."""

from __future__ import annotations

import base64
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from ...core.wire import Request
from .blob import METADATA, Blob
from .errors import StorageError

# List Blobs, in the REST reference.
PAGE = 5000


def page(container: str, blobs: Mapping[str, Blob], request: Request, now: datetime) -> str:
    """Return a page in the order of the names, 5,000 at most; the marker names the next entry.

    An entry is a blob, or a prefix that ends with the delimiter.
    """
    query = request.query
    prefix, size = query.get("prefix", ""), _page_size(query.get("maxresults"))
    names = sorted(name for name in blobs if name.startswith(prefix))
    delimiter = query.get("delimiter", "")
    entries = _entries(names, prefix, delimiter)
    rest = entries[bisect_left(entries, _marked(query.get("marker", ""))) :]
    with_metadata = "metadata" in query.get("include", "").split(",")
    items = "".join(
        f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>"
        if delimiter and delimiter in name[len(prefix) :]
        else _item(name, blobs[name], now, with_metadata=with_metadata)
        for name in rest[:size]
    )
    given = f"<MaxResults>{size}</MaxResults>" if "maxresults" in query else ""
    marker = _marker(rest[size]) if len(rest) > size else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<EnumerationResults ContainerName="{container}"><Prefix>{escape(prefix)}</Prefix>'
        f"{given}<Blobs>{items}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
    )


def _entries(names: list[str], prefix: str, delimiter: str) -> list[str]:
    if not delimiter:
        return names
    found = (prefix + _head(name[len(prefix) :], delimiter) for name in names)
    return list(dict.fromkeys(found))


def _head(text: str, delimiter: str) -> str:
    head, found, _ = text.partition(delimiter)
    return head + found


def _page_size(text: str | None) -> int:
    """Return how many entries a page has; a number beyond the most counts as the most."""
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdecimal()) or not int(text):
        raise StorageError(400, "OutOfRangeQueryParameterValue")
    return min(int(text), PAGE)


def _marker(name: str) -> str:
    return f"2!{len(name)}!{base64.urlsafe_b64encode(name.encode()).decode()}"


def _marked(marker: str) -> str:
    """Return the name of the entry with which a page begins."""
    if not marker:
        return ""
    try:
        return base64.urlsafe_b64decode(marker.split("!")[2]).decode()
    except (ValueError, IndexError):
        raise StorageError(400, "InvalidQueryParameterValue") from None


def _item(name: str, blob: Blob, now: datetime, *, with_metadata: bool) -> str:
    properties = {
        "Creation-Time": format_datetime(blob.created, usegmt=True),
        "Last-Modified": format_datetime(blob.modified, usegmt=True),
        "Etag": blob.etag.strip('"'),
        "Content-Length": str(len(blob.body)),
        "Content-Type": escape(blob.content_type),
        "BlobType": "BlockBlob",
        **{f"Lease{part.capitalize()}": text for part, text in blob.lease.shown(now).items()},
    }
    more = _metadata(blob) if with_metadata else ""
    inner = _elements(properties.items())
    return f"<Blob><Name>{escape(name)}</Name><Properties>{inner}</Properties>{more}</Blob>"


def _metadata(blob: Blob) -> str:
    found = ((n.removeprefix(METADATA), escape(v)) for n, v in blob.metadata.items())
    items = _elements(found)
    return f"<Metadata>{items}</Metadata>" if items else "<Metadata />"


def _elements(members: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<{name}>{text}</{name}>" for name, text in members)
