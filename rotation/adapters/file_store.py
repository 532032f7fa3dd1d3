"""Documents in a directory, for where there is no storage account.

A document is a file that is only ever replaced as a whole; its tag is a digest of its content and
its modification time, which grows with every write, so that equal contents have unequal tags.
POSIX only (flock). The directory must be local: network file systems keep no such locks.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from ..domain.document import Document
from ..domain.errors import Conflict, Permanent
from .storage_limits import checked_name, is_name, lease_seconds

_SUFFIX = ".json"


class FileStore:
    """A Store over ``directory``, made when first written to. ``now`` is in epoch seconds."""

    def __init__(self, directory: str | Path, now: Callable[[], float] = time.time) -> None:
        self._directory = Path(directory)
        self._leases = self._directory / "leases"
        self._now = now

    async def read(self, name: str) -> Document | None:
        return await asyncio.to_thread(self._read, checked_name(name))

    async def write(self, name: str, body: bytes, etag: str | None) -> str:
        return await asyncio.to_thread(self._write, checked_name(name), body, etag)

    async def stamps(self) -> AsyncIterator[tuple[str, str]]:
        with _explained("list the documents"):
            found = sorted(self._directory.glob(f"*{_SUFFIX}"))
            marks = [(path.stem, f"{path.stat().st_mtime_ns}") for path in found]
        for name, mark in marks:
            if is_name(name):
                yield name, mark

    @asynccontextmanager
    async def lease(self, name: str, duration: timedelta) -> AsyncIterator[bool]:
        """The owner's death gives the lease back at once, because its lock dies with it.

        Taken without a thread: it lasts microseconds, and a cancelled thread would keep the lock.
        """
        seconds = lease_seconds(duration)
        with _explained(f"lease {checked_name(name)}"):
            held = self._take(name, seconds)
        try:
            yield held is not None
        finally:
            if held:
                held.close()

    async def close(self) -> None:
        """Nothing is kept open."""

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{_SUFFIX}"

    def _read(self, name: str) -> Document | None:
        with _explained(f"read document {name}"):
            found = _content(self._path(name))
        return Document(found[0], _tag(*found)) if found else None

    def _write(self, name: str, body: bytes, etag: str | None) -> str:
        with _explained(f"write document {name}"):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(self._directory / ".lock"):
                found = _content(self._path(name))
                if (_tag(*found) if found else None) != etag:
                    raise Conflict(f"write document {name}: it has changed", code="Changed")
                made = max(time.time_ns(), found[1] + 1 if found else 0)
                return _tag(body, self._replace(self._path(name), body, made))

    def _replace(self, path: Path, body: bytes, made: int) -> int:
        """Returns the modification time in ns, as the file system keeps it."""
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".new", dir=self._directory)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.utime(handle, ns=(made, made))
                os.fsync(handle)
            os.replace(temporary, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        _sync(self._directory)
        return path.stat().st_mtime_ns

    def _take(self, name: str, seconds: int) -> BinaryIO | None:
        """The locked file while the lease is held, or None."""
        self._leases.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._leases / name
        with _locked(self._leases / ".lock"):
            file = _lock_now(path)
            if file is None and self._has_expired(path):
                path.unlink()  # its owner keeps a lock on what is no longer there
                file = _lock_now(path)
            if file:
                file.truncate(0)
                file.write(str(self._now() + seconds).encode())
                file.flush()
            return file

    def _has_expired(self, path: Path) -> bool:
        try:
            return float(path.read_bytes()) <= self._now()
        except ValueError:
            return True


def _content(path: Path) -> tuple[bytes, int] | None:
    """The bytes and their modification time in ns, of one and the same file."""
    try:
        with path.open("rb") as file:
            return file.read(), os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return None


def _tag(body: bytes, made: int) -> str:
    return hashlib.sha256(made.to_bytes(8, "big") + body).hexdigest()[:32]


def _lock_now(path: Path) -> BinaryIO | None:
    file = _private(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One at a time, across threads and processes: each opening has a lock of its own."""
    with _private(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b")


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise Permanent(
            f"{doing}: {exc.strerror or type(exc).__name__}",
            code="JournalDirectory",
            remedy="give the service a local directory that it may write to, with free space",
        ) from None
