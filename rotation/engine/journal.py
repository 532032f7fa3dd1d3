"""Stores records: one document per account, changed only by compare-and-swap."""

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
    """The last sweep: ``at`` is its end; ``stopped`` is why it was cut short, or empty.

    ``succeeded`` is the end of the last one that was not.
    """

    at: datetime
    accounts: int
    problems: tuple[str, ...] = ()
    stopped: str = ""
    succeeded: datetime | None = None


class Journal:
    """The records of all accounts. Losing them is safe; it only delays rotations."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, account: AccountId) -> tuple[Record, str | None]:
        """Return the record and its ETag; a new record and None if there is none."""
        found = await self._read(account.slug)
        return found or (Record(account, salt=secrets.token_hex(16)), None)

    async def find(self, slug: str) -> Record | None:
        """Find a record by its account's slug, the beginning of every operation id."""
        found = await self._read(slug)
        return found[0] if found else None

    async def save(self, record: Record, tag: str | None) -> str:
        """Store a record and return its ETag. Raises Conflict if it changed since ``tag``."""
        return await self._store.write(record.account.slug, codec.dump(record), tag)

    async def amend(self, account: AccountId, change: Callable[[Record], Record | None]) -> Record:
        """Apply ``change`` to the current record, again after a conflict; None changes nothing."""
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
        """List the names of all records."""
        async for name, _ in self.stamps():
            yield name

    async def stamps(self) -> AsyncIterator[tuple[str, str]]:
        """List the names of all records, each with a stamp that changes with the record."""
        async for name, mark in self._store.stamps():
            if len(name) == SLUG:
                yield name, mark

    async def note_sweep(self, sweep: LastSweep) -> None:
        """Store the result of a sweep; of two concurrent ones, one is enough."""
        found = await self._store.read(_SWEEP)
        before = _sweep(found)
        earlier = before.succeeded if before else None
        succeeded = earlier if sweep.stopped else sweep.at
        sweep = replace(sweep, succeeded=succeeded)
        with suppress(Conflict):
            await self._store.write(_SWEEP, codec.dump(sweep), found.etag if found else None)

    async def last_sweep(self) -> LastSweep | None:
        """Return the last sweep, or None if there is none or it cannot be read."""
        return _sweep(await self._store.read(_SWEEP))

    def lease(self, account: AccountId) -> AbstractAsyncContextManager[bool]:
        """Try to lease the account. This saves work; compare-and-swap makes it safe."""
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
                remedy="restore it from a backup, or delete it: it will be rebuilt from Azure",
            ) from None


def _sweep(document: Document | None) -> LastSweep | None:
    with suppress(ValueError):
        return codec.load(LastSweep, document.body) if document else None
    return None
