"""Stores records: one document per account, changed only by compare-and-swap."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..domain import codec, standing
from ..domain.document import Document, Entry
from ..domain.errors import Conflict, Unreadable
from ..domain.ids import AccountId
from ..domain.record import FORMAT, Record
from ..ports import Store
from .claims import Claims
from .held_records import Change, HeldRecords
from .swap import ATTEMPTS, amended

LEASE = timedelta(seconds=60)

SLUG = 16  # characters

_SWEEP = "sweep"


# A person, or a deployment under way, may still put it right.
GARBAGE_FOR = timedelta(minutes=15)

_GARBAGE = "garbage-"

_BESIDE = "forced-"


@dataclass(frozen=True)
class Garbage:
    """A copy of a record that could not be read, and when it was first seen."""

    since: datetime
    body: bytes
    format: int = 1


@dataclass(frozen=True)
class LastSweep:
    """The last sweep: ``at`` is its end; ``stopped`` is why it was cut short, or empty.

    ``succeeded`` is the end of the last one that was not, and ``compared`` the time for which that
    one compared all accounts. ``unread`` are vaults and documents that could not be read.
    """

    at: datetime
    accounts: int
    problems: tuple[str, ...] = ()
    stopped: str = ""
    succeeded: datetime | None = None
    unread: tuple[str, ...] = ()
    compared: datetime | None = None


@dataclass(frozen=True)
class SweepNote:
    """The stored note of the last sweep, and the ETag that the next one must present."""

    sweep: LastSweep | None = None
    etag: str | None = None


class Journal:
    """The records of all accounts. Losing them is safe; it only delays rotations.

    While an account is leased, its record is read once, and again after a write that failed: a
    copy that is out of date is refused by compare-and-swap. See ``held_records``. ``claims`` ties
    idempotency keys to requests.
    """

    def __init__(self, store: Store, prefix: str = "") -> None:
        """``prefix`` begins the names of the records."""
        self._store = store
        self._prefix = prefix
        self._held = HeldRecords()
        self.claims = Claims(store)

    def beside(self) -> Journal:
        """Return a journal beside this one, for an account whose record must not be touched."""
        return Journal(self._store, _BESIDE)

    async def load(self, account: AccountId) -> tuple[Record, str | None]:
        """Return the record and its ETag; a new record and None if there is none."""
        slug = account.slug
        held = self._held.find(slug)
        if held and held.found:
            return held.found
        found = await self._read(slug) or (self.new(account), None)
        return held.take(*found) if held else found

    def kept(self, account: AccountId) -> tuple[Record, str] | None:
        """Return the record and its ETag as the holder of the lease read or wrote them last."""
        held = self._held.find(account.slug)
        record, etag = held.found if held and held.found else (None, None)
        return (record, etag) if record and etag else None

    def is_behind(self, account: AccountId) -> bool:
        """Return whether the next step must write, although it may change nothing."""
        held = self._held.find(account.slug)
        return held is not None and held.is_behind

    async def note(self, account: AccountId, change: Change) -> None:
        """Apply ``change``, to be stored by the next write. Without a lease, that is now.

        A process that ends before that loses it.
        """
        held = self._held.find(account.slug)
        if held is None:
            await self.amend(account, change)
        else:
            held.note(change, *await self.load(account))

    def leave(self, account: AccountId) -> None:
        """Let the visit at the record's next wake-up begin with this copy."""
        self._held.leave(account.slug)

    def new(self, account: AccountId) -> Record:
        """Return the record of an account that has none."""
        return Record(account, salt=secrets.token_hex(16))

    async def find(self, slug: str) -> Record | None:
        """Find a record by its account's slug, the beginning of every operation id."""
        found = await self._read(slug)
        return found[0] if found else None

    async def save(self, record: Record, tag: str | None) -> str:
        """Store a record and return its ETag. Raises Conflict if it changed since ``tag``."""
        slug = record.account.slug
        held = self._held.find(slug)
        count = len(held.notes) if held else 0
        if held:
            held.found = None
        body, name = codec.dump(record), self._prefix + slug
        stored = await self._store.write(name, body, tag, standing.index(record))
        if held:
            held.stored(record, stored, count)
        return stored

    async def amend(self, account: AccountId, change: Change) -> Record:
        """Apply ``change`` to the current record, again after a conflict; None changes nothing."""
        return await amended(lambda: self.load(account), self.save, change)

    async def set_aside(self, fresh: Record, now: datetime, *, at_once: bool = False) -> bool:
        """Replace a record that is garbage; return whether ``fresh`` or a readable one is there.

        That happens 15 minutes after the first call that found it, or ``at_once``. A copy is kept.
        Raises Unreadable if a newer version wrote it, and Conflict if it has just changed.
        """
        slug = fresh.account.slug
        found = await self._store.read(slug)
        if found is None or _is_readable(slug, found.body):
            return True
        since = await self._first_seen(slug, found.body, now)
        if not at_once and now - since < GARBAGE_FOR:
            return False
        await self._store.write(slug, codec.dump(fresh), found.etag)
        return True

    async def _first_seen(self, slug: str, body: bytes, now: datetime) -> datetime:
        """Keep a copy of garbage, and return when it was first seen."""
        name = _GARBAGE + slug
        kept = await self._store.read(name)
        with suppress(ValueError):
            known = codec.load(Garbage, kept.body) if kept else None
            if known and known.body == body:
                return known.since
        copy = codec.dump(Garbage(now, body))
        await self._store.write(name, copy, kept.etag if kept else None)
        return now

    async def slugs(self) -> AsyncIterator[str]:
        """List the names of all records."""
        async for name, _ in self.stamps():
            yield name

    async def stamps(self) -> AsyncIterator[tuple[str, str]]:
        """List the names of all records, each with a stamp that changes with the record."""
        async for name, mark in self._store.stamps():
            if len(name) == SLUG:
                yield name, mark

    async def entries(self) -> AsyncIterator[Entry]:
        """List all records, each with the index that was written with it."""
        async for entry in self._store.entries():
            if len(entry.name) == SLUG:
                yield entry

    async def note_sweep(self, sweep: LastSweep, before: SweepNote | None = None) -> None:
        """Store the result of a sweep; of two concurrent ones, one is enough.

        ``before`` is the note as it was read when the sweep began.
        """
        before = before or await self.sweep_note()
        last = before.sweep
        if sweep.stopped:
            succeeded, compared = (last.succeeded, last.compared) if last else (None, None)
            sweep = replace(sweep, succeeded=succeeded, compared=compared)
        else:
            sweep = replace(sweep, succeeded=sweep.at)
        with suppress(Conflict):
            await self._store.write(_SWEEP, codec.dump(sweep), before.etag)

    async def sweep_note(self) -> SweepNote:
        """Return the note of the last sweep; its ``sweep`` is None if it cannot be read."""
        found = await self._store.read(_SWEEP)
        return SweepNote(_sweep(found), found.etag if found else None)

    async def last_sweep(self) -> LastSweep | None:
        """Return the last sweep, or None if there is none or it cannot be read."""
        return (await self.sweep_note()).sweep

    @asynccontextmanager
    async def lease(self, account: AccountId, wake: datetime | None = None) -> AsyncIterator[bool]:
        """Try to lease the account. This saves work; compare-and-swap makes it safe.

        ``wake`` is the wake-up that a visit continues at. What was noted is stored at the end.
        """
        async with self._store.lease(account.slug, LEASE) as ours:
            if not ours:
                yield False
                return
            with self._held.during(account.slug, wake):
                yield True
                await self._store_notes(account)

    async def _store_notes(self, account: AccountId) -> None:
        held = self._held.find(account.slug)
        for _ in range(ATTEMPTS):
            if not held or not held.notes:
                return
            with suppress(Conflict):
                await self.save(*await self.load(account))

    async def _read(self, slug: str) -> tuple[Record, str] | None:
        document = await self._store.read(self._prefix + slug)
        return (_record(slug, document.body), document.etag) if document else None


def _record(slug: str, body: bytes) -> Record:
    """Parse a document. Raises Unreadable, also if it is the record of another account."""
    if codec.format_of(body) > FORMAT:
        raise Unreadable(slug, newer=True)
    try:
        record = codec.load(Record, body)
    except ValueError:
        raise Unreadable(slug, newer=False) from None
    if record.account.slug != slug:
        raise Unreadable(slug, newer=False)
    return record


def _is_readable(slug: str, body: bytes) -> bool:
    """Return whether a record can be read. Raises Unreadable if a newer version wrote it."""
    try:
        _record(slug, body)
    except Unreadable as exc:
        if exc.newer:
            raise
        return False
    return True


def _sweep(document: Document | None) -> LastSweep | None:
    with suppress(ValueError):
        return codec.load(LastSweep, document.body) if document else None
    return None
