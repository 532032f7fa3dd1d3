"""Records in a store: one document per account, changed only by compare-and-swap."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..domain import codec
from ..domain.document import Document
from ..domain.errors import Conflict, Permanent
from ..domain.ids import AccountId
from ..domain.record import Record
from ..ports import Store

LEASE = timedelta(seconds=60)

SLUG = 16  # characters

_ATTEMPTS = 8

_SWEEP = "sweep"


@dataclass(frozen=True)
class LastSweep:
    """``at`` is when it ended. ``stopped`` is why it did not do its work, or empty.

    ``succeeded`` is when one last did.
    """

    at: datetime
    accounts: int
    problems: tuple[str, ...] = ()
    stopped: str = ""
    succeeded: datetime | None = None


class Journal:
    """What is remembered of accounts. Losing it is never unsafe; it only makes us slower."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, account: AccountId) -> tuple[Record, str | None]:
        """The record and its tag; a new one where there is none."""
        found = await self._read(account.slug)
        return found or (Record(account, salt=secrets.token_hex(16)), None)

    async def find(self, slug: str) -> Record | None:
        """The record under an account's slug, which every operation id begins with."""
        found = await self._read(slug)
        return found[0] if found else None

    async def save(self, record: Record, tag: str | None) -> str:
        """Raises Conflict where somebody else has written since ``tag``."""
        return await self._store.write(record.account.slug, codec.dump(record), tag)

    async def amend(self, account: AccountId, change: Callable[[Record], Record | None]) -> Record:
        """Apply ``change`` to what is there now, again after a conflict; None changes nothing."""
        for attempt in range(_ATTEMPTS):
            record, tag = await self.load(account)
            changed = change(record)
            if changed is None or changed == record:
                return record
            try:
                await self.save(changed, tag)
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            return changed
        raise AssertionError("unreachable")

    async def slugs(self) -> AsyncIterator[str]:
        """The names of all records."""
        async for name, _ in self.stamps():
            yield name

    async def stamps(self) -> AsyncIterator[tuple[str, str]]:
        """The names of all records, each with what changes whenever the record does."""
        async for name, mark in self._store.stamps():
            if len(name) == SLUG:
                yield name, mark

    async def note_sweep(self, sweep: LastSweep) -> None:
        """Remember how the last sweep ended; of two at once, one is enough."""
        found = await self._store.read(_SWEEP)
        before = _sweep(found)
        earlier = before.succeeded if before else None
        succeeded = earlier if sweep.stopped else sweep.at
        sweep = replace(sweep, succeeded=succeeded)
        with suppress(Conflict):
            await self._store.write(_SWEEP, codec.dump(sweep), found.etag if found else None)

    async def last_sweep(self) -> LastSweep | None:
        """None where there was none yet, or nobody can read it."""
        return _sweep(await self._store.read(_SWEEP))

    def lease(self, account: AccountId) -> AbstractAsyncContextManager[bool]:
        """Saves work; compare-and-swap is what makes it safe."""
        return self._store.lease(account.slug, LEASE)

    async def _read(self, slug: str) -> tuple[Record, str] | None:
        document = await self._store.read(slug)
        if document is None:
            return None
        try:
            return codec.load(Record, document.body), document.etag
        except ValueError:
            raise Permanent(
                f"the journal's document {slug} cannot be read",
                code="JournalUnreadable",
                remedy="restore it from a backup, or delete it: it is rebuilt from Azure itself",
            ) from None


def _sweep(document: Document | None) -> LastSweep | None:
    with suppress(ValueError):
        return codec.load(LastSweep, document.body) if document else None
    return None
