"""The journal's store and the queue in memory, as strict as the real ones. Both levels use them."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

from rotation.domain.document import Document, Entry
from rotation.domain.errors import Conflict, Transient, Unknown

from .faults import Fault
from .interceptor import Interceptor, Process

RETRY_AFTER = timedelta(seconds=30)  # visibilityTimeout of host.json
RETRY_AFTER_CRASH = timedelta(minutes=10)  # until a crashed host's message is visible again
MAX_TRIES = 5


def fail_write(fault: Fault) -> NoReturn:
    """Raise Unknown for a write that may have happened, even if the adapters could find out."""
    maybe = fault.done or fault.late
    raise (Unknown if maybe else Transient)(f"storage: {fault.name}", code=f"HTTP{fault.status}")


def fail_read(fault: Fault) -> NoReturn:
    raise Transient(f"storage: {fault.name}", code=f"HTTP{fault.status}")


@dataclass
class Storage:
    """The storage that all workers share.

    ``indexes`` are those of the documents with the same number.
    ``watchers`` are called with each document that is written, ``arrived`` for each new message.
    """

    documents: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    indexes: dict[str, tuple[str, int]] = field(default_factory=dict)
    leases: dict[str, tuple[Process, datetime]] = field(default_factory=dict)
    messages: list[tuple[datetime, int, str, int]] = field(default_factory=list)
    poison: list[str] = field(default_factory=list)
    watchers: list[Callable[[str, bytes], None]] = field(default_factory=list)
    serial: int = 0
    closed_until: datetime | None = None
    arrived: list[Callable[[], None]] = field(default_factory=list)

    def number(self) -> int:
        self.serial += 1
        return self.serial

    def swap(self, name: str, body: bytes, etag: str | None, index: str = "") -> str:
        stored = self.documents.get(name)
        if (str(stored[1]) if stored else None) != etag:
            raise Conflict(name)
        number = self.number()
        self.documents[name] = (body, number)
        self.indexes[name] = (index, number)
        for watch in self.watchers:
            watch(name, body)
        return str(number)

    def push(self, text: str, at: datetime, tries: int = 0) -> None:
        heapq.heappush(self.messages, (at, self.number(), text, tries))
        self.wake()

    def next_at(self, now: datetime) -> datetime | None:
        """Return when a worker can take the next message; not before an outage is over."""
        if not self.messages:
            return None
        return max(self.messages[0][0], self.closed_until or now)

    def wake(self) -> None:
        """Let every worker look for messages, or notice that it has crashed."""
        for wake in self.arrived:
            wake()

    def retry(self, text: str, tries: int, at: datetime) -> None:
        """Make a failed message visible again, or move it to the poison queue."""
        if tries + 1 >= MAX_TRIES:
            self.poison.append(text)
        else:
            self.push(text, at, tries + 1)


@dataclass
class SimulatedStore:
    interceptor: Interceptor
    storage: Storage
    by: Process

    async def read(self, name: str) -> Document | None:
        def found() -> Document | None:
            document = self.storage.documents.get(name)
            return Document(document[0], str(document[1])) if document else None

        document = await self.interceptor.call(self.by, "journal.read", found, fail_read)
        self.by.phase = phase_of(document.body) if document else "idle"
        return document

    async def write(self, name: str, body: bytes, etag: str | None, index: str = "") -> str:
        def swap() -> str:
            return self.storage.swap(name, body, etag, index)

        written = await self.interceptor.call(self.by, "journal.write", swap, fail_write)
        self.by.phase = phase_of(body)
        return written

    async def stamps(self, prefix: str = "") -> AsyncIterator[tuple[str, str]]:
        for name, document in await self.interceptor.call(
            self.by, "journal.names", lambda: list(self.storage.documents.items()), fail_read
        ):
            if name.startswith(prefix):
                yield name, str(document[1])

    async def entries(self, prefix: str = "") -> AsyncIterator[Entry]:
        async for name, stamp in self.stamps(prefix):
            index, number = self.storage.indexes.get(name, ("", 0))
            yield Entry(name, stamp, index if str(number) == stamp else "")

    @asynccontextmanager
    async def lease(self, name: str, duration: timedelta) -> AsyncIterator[bool]:
        held = await self.interceptor.call(
            self.by, "journal.lease", lambda: self._acquire(name, duration), fail_read
        )
        try:
            yield held
        finally:
            holder = self.storage.leases.get(name)
            if held and holder and holder[0] is self.by and not self.by.dead:
                del self.storage.leases[name]

    def _acquire(self, name: str, duration: timedelta) -> bool:
        now, holder = self.interceptor.azure.clock.now(), self.storage.leases.get(name)
        if holder is not None and holder[1] > now:
            return False
        self.storage.leases[name] = (self.by, now + duration)
        return True


@dataclass
class SimulatedQueue:
    interceptor: Interceptor
    storage: Storage
    by: Process

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        def push() -> None:
            self.storage.push(message, self.interceptor.azure.clock.now() + delay)

        await self.interceptor.call(self.by, "queue.put", push, fail_write)


def phase_of(body: bytes) -> str:
    """Return the phase in a document without decoding it all; the sweep's has none."""
    _, _, rest = body.partition(b'"phase":"')
    return rest.partition(b'"')[0].decode() or "idle"
