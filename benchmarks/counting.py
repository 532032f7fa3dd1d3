"""Counts calls by service, and those to the journal's store."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta

from emulator.azure import Azure
from emulator.services.router import Call
from rotation.domain.document import Document, Entry
from rotation.domain.ids import AccountId
from rotation.domain.record import Record
from rotation.engine.journal import Journal
from rotation.ports import Store

_SERVICES = {
    "arm": "arm",
    "keyvault": "key_vault",
    "inference": "probes",
    "eventgrid": "events",
}

# The listing of a vault and the note of a sweep serve all accounts. They are not counted for one.
_LISTING = "keyvault.list_secrets"

_SWEEP = "sweep"

COUNTED = (
    *("arm", "arm_writes", "key_vault", "probes", "events"),
    *("journal_reads", "journal_writes", "leases", "listings"),
)

Counts = dict[str, int]


@dataclass
class CountingStore:
    """A store that notes its calls; ``clock`` returns the position of each among Azure's calls."""

    store: Store
    clock: Callable[[], int] = int
    made: list[tuple[int, str]] = field(default_factory=list)

    async def read(self, name: str) -> Document | None:
        self._note("sweep_reads" if name == _SWEEP else "journal_reads")
        return await self.store.read(name)

    async def write(self, name: str, body: bytes, etag: str | None, index: str = "") -> str:
        self._note("sweep_writes" if name == _SWEEP else "journal_writes")
        return await self.store.write(name, body, etag, index)

    async def stamps(self, prefix: str = "") -> AsyncIterator[tuple[str, str]]:
        self._note("journal_listings")
        async for stamp in self.store.stamps(prefix):
            yield stamp

    async def entries(self, prefix: str = "") -> AsyncIterator[Entry]:
        self._note("journal_listings")
        async for entry in self.store.entries(prefix):
            yield entry

    def lease(self, name: str, duration: timedelta) -> AbstractAsyncContextManager[bool]:
        self._note("leases")
        return self.store.lease(name, duration)

    def _note(self, name: str) -> None:
        self.made.append((self.clock(), name))


def of_calls(calls: Iterable[Call]) -> Counter[str]:
    """Count calls to Azure by service. A POST to ARM is a write, also if it only reads keys."""
    counts = Counter[str]()
    for call in calls:
        service = call.operation.partition(".")[0]
        counts["listings" if call.operation == _LISTING else _SERVICES[service]] += 1
        counts["arm_writes"] += service == "arm" and call.method != "GET"
    return counts


class Meter:
    """Counts what happens between two readings."""

    def __init__(self, azure: Azure, store: Store) -> None:
        self._azure = azure
        self.store = CountingStore(store, lambda: len(azure.calls))

    def reset(self) -> None:
        """Forget what has happened so far."""
        self._azure.calls.clear()
        self.store.made.clear()

    async def record(self, account: AccountId) -> Record:
        """Return a record; this call is not counted."""
        return (await Journal(self.store.store).load(account))[0]

    def read(self, *, until: str = "") -> Counts:
        """Return the counts since the last reading, or up to the first call named ``until``."""
        names = [call.operation for call in self._azure.calls]
        end = names.index(until) if until else len(names)
        stored = Counter(name for at, name in self.store.made if at <= end)
        counts = of_calls(self._azure.calls[:end]) + stored
        self.reset()
        return {name: counts[name] for name in COUNTED}
