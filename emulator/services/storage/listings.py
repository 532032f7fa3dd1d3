"""Listings of an account's containers or queues, as XML in one page."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.wire import Headers, Response


def listed(name: str, items: Iterable[str]) -> Response:
    """Return the listing with this element of items."""
    xml = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<EnumerationResults><{name}>{''.join(items)}</{name}><NextMarker /></EnumerationResults>"
    )
    return Response(200, Headers({"Content-Type": "application/xml"}), xml.encode())
