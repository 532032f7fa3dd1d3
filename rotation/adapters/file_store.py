"""Documents in a local directory, for use without a storage account.

A document is a file that is only replaced as a whole. Its tag is a digest of its content and its
modification time. Every write increases that time, so equal contents have different tags.
The index of a document is another file, with the time of the document that it belongs to.
POSIX only (flock). The directory must be local: network file systems do not keep such locks.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from ..domain.document import Document, Entry
from ..domain.errors import Conflict, Permanent, of_service
from .file_lock import acquire, locked
from .storage_limits import checked_name, is_name, lease_seconds

_SUFFIX = ".json"


class FileStore:
    """A Store in ``directory``, which the first write creates. ``now`` returns epoch seconds."""

    def __init__(self, directory: str | Path, now: Callable[[], float] = time.time) -> None:
        self._directory = Path(directory)
        self._leases = self._directory / "leases"
        self._indexes = self._directory / "index"
        self._now = now

    async def read(self, name: str) -> Document | None:
        return await asyncio.to_thread(self._read, checked_name(name))

    async def write(self, name: str, body: bytes, etag: str | None, index: str = "") -> str:
        return await asyncio.to_thread(self._write, checked_name(name), body, etag, index)

    async def stamps(self, prefix: str = "") -> AsyncIterator[tuple[str, str]]:
        with _os_errors_as_permanent("list the documents"):
            found = sorted(self._directory.glob(f"*{_SUFFIX}"))
            stamps = [(path.stem, f"{path.stat().st_mtime_ns}") for path in found]
        for name, stamp in stamps:
            if is_name(name) and name.startswith(prefix):
                yield name, stamp

    async def entries(self, prefix: str = "") -> AsyncIterator[Entry]:
        async for name, stamp in self.stamps(prefix):
            yield Entry(name, stamp, self._index(name, stamp))

    @asynccontextmanager
    async def lease(self, name: str, duration: timedelta) -> AsyncIterator[bool]:
        """Lease a document. The lease ends with its owner's process, because the file lock does.

        It is acquired without a thread: that takes microseconds, and a cancelled thread would
        keep the lock.
        """
        seconds = lease_seconds(duration)
        with _os_errors_as_permanent(f"lease {checked_name(name)}"):
            held = acquire(self._leases, name, seconds, self._now)
        try:
            yield held is not None
        finally:
            if held:
                held.close()

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{_SUFFIX}"

    def _read(self, name: str) -> Document | None:
        with _os_errors_as_permanent(f"read document {name}"):
            found = _content(self._path(name))
        return Document(found[0], _tag(*found)) if found else None

    def _index(self, name: str, stamp: str) -> str:
        """Return the index that was written with a document; one of an earlier one is too old."""
        with _os_errors_as_permanent(f"read the index of {name}"), suppress(FileNotFoundError):
            written, _, index = (self._indexes / name).read_text(errors="replace").partition(" ")
            return index if written == stamp else ""
        return ""

    def _write(self, name: str, body: bytes, etag: str | None, index: str) -> str:
        with _os_errors_as_permanent(f"write document {name}"):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._directory / ".lock"):
                found = _content(self._path(name))
                if (_tag(*found) if found else None) != etag:
                    raise Conflict(f"write document {name}: it has changed", code="Changed")
                made = max(time.time_ns(), found[1] + 1 if found else 0)
                made = self._replace(self._path(name), body, made)
                if index:
                    self._indexes.mkdir(exist_ok=True)
                    (self._indexes / name).write_text(f"{made} {index}")
                return _tag(body, made)

    def _replace(self, path: Path, body: bytes, made: int) -> int:
        """Replace a file. Return its modification time in ns, as the file system keeps it."""
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


def _content(path: Path) -> tuple[bytes, int] | None:
    """Return the bytes of a file and its modification time in ns."""
    try:
        with path.open("rb") as file:
            return file.read(), os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return None


def _tag(body: bytes, made: int) -> str:
    return hashlib.sha256(made.to_bytes(8, "big") + body).hexdigest()[:32]


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _os_errors_as_permanent(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        message = f"{doing}: {exc.strerror or type(exc).__name__}"
        remedy = "configure a local directory that is writable and has free space"
        raise of_service(Permanent(message, code="JournalDirectory", remedy=remedy)) from None
