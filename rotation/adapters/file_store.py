"""A store in a directory: atomic replacement under a lock of the operating system.

For local work, where no storage is configured. Several processes on one machine may share it.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

from ..errors import Conflict, Transient
from ..ports import Document

_NAME = re.compile(r"[a-z0-9-]{1,100}")


class FileStore:
    """Documents are ``<name>.json``; the etag is a hash of the content."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)

    async def read(self, name: str) -> Document | None:
        return await asyncio.to_thread(self._read, name)

    async def write(self, name: str, body: bytes, etag: str | None) -> str:
        return await asyncio.to_thread(self._write, name, body, etag)

    async def names(self) -> AsyncIterator[str]:
        for path in sorted(self._directory.glob("*.json")):
            yield path.stem

    @asynccontextmanager
    async def lease(self, name: str, duration: timedelta) -> AsyncIterator[bool]:
        """A file with the time until which it is taken; one that has run out may be taken."""
        token = os.urandom(8).hex()
        taken = await asyncio.to_thread(self._take, name, token, duration.total_seconds())
        try:
            yield taken
        finally:
            if taken:
                await asyncio.to_thread(self._release, name, token)

    def _read(self, name: str) -> Document | None:
        try:
            body = self._path(name, "json").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise _unwell(exc) from None
        return Document(body, _etag(body))

    def _write(self, name: str, body: bytes, etag: str | None) -> str:
        with self._locked():
            present = self._read(name)
            if (present.etag if present else None) != etag:
                raise Conflict(f"document {name} has changed", code="Conflict")
            self._replace(self._path(name, "json"), body)
        return _etag(body)

    def _take(self, name: str, token: str, seconds: float) -> bool:
        path = self._path(name, "lease")
        with self._locked():
            until = path.read_text().partition(" ")[0] if path.exists() else "0"
            if float(until or 0) > time.time():
                return False
            self._replace(path, f"{time.time() + seconds} {token}".encode())
        return True

    def _release(self, name: str, token: str) -> None:
        path = self._path(name, "lease")
        with self._locked():
            if path.exists() and path.read_text().endswith(f" {token}"):
                path.unlink()

    def _replace(self, path: Path, body: bytes) -> None:
        try:
            descriptor, temporary = tempfile.mkstemp(dir=self._directory, prefix=".")
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as exc:
            raise _unwell(exc) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise _unwell(exc) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _path(self, name: str, ending: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a document")
        return self._directory / f"{name}.{ending}"


def _etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _unwell(exc: OSError) -> Transient:
    return Transient(f"the journal's directory: {exc.strerror}", code="Storage")
