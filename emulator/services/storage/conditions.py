"""Conditional headers: what a request may assume of the blob ("Specifying conditional headers")."""

from __future__ import annotations

from ...core.wire import Headers
from .errors import StorageError


def check_read(etag: str, headers: Headers) -> None:
    """Raise ConditionNotMet unless a read's conditions hold for the blob with this ETag."""
    if not _matches(headers.get("If-Match"), etag):
        raise StorageError(412, "ConditionNotMet")
    if _is_known(headers.get("If-None-Match"), etag):
        raise StorageError(304, "ConditionNotMet")


def check_write(etag: str | None, headers: Headers) -> None:
    """Raise an error unless a write's conditions hold; without a blob, ``etag`` is None."""
    if etag is not None and headers.get("If-None-Match") == "*":
        raise StorageError(409, "BlobAlreadyExists")
    known = _is_known(headers.get("If-None-Match"), etag)
    if known or not _matches(headers.get("If-Match"), etag):
        raise StorageError(412, "ConditionNotMet")


def _matches(wanted: str | None, etag: str | None) -> bool:
    return not wanted or (etag is not None and wanted in ("*", etag))


def _is_known(unwanted: str | None, etag: str | None) -> bool:
    return etag is not None and unwanted in ("*", etag)
