"""Locks and leases on files (flock)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock, across threads and processes: each open file has its own."""
    with _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def acquire(directory: Path, name: str, seconds: int, now: Callable[[], float]) -> BinaryIO | None:
    """Return the locked file of a new lease, or None if another lease is held.

    The file contains when the lease expires. Closing it releases the lease.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / name
    with locked(directory / ".lock"):
        file = _try_lock(path)
        if file is None and _has_expired(path, now):
            path.unlink()  # its owner keeps the lock of the deleted file
            file = _try_lock(path)
        if file:
            file.truncate(0)
            file.write(str(now() + seconds).encode())
            file.flush()
        return file


def _has_expired(path: Path, now: Callable[[], float]) -> bool:
    try:
        return float(path.read_bytes()) <= now()
    except ValueError:
        return True


def _try_lock(path: Path) -> BinaryIO | None:
    file = _open(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _open(path: Path) -> BinaryIO:
    """Open a file that only its owner may read, and create it if it is absent."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b")
