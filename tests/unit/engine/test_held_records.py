"""The record as a visit has it: notes wait for the next write, and a copy must be confirmed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.domain import codec
from rotation.domain.errors import Conflict
from rotation.domain.ids import AccountId
from rotation.domain.record import Record
from rotation.engine import held_records
from rotation.engine.journal import Journal

from .stores import SharedStore

ACCOUNT = AccountId("s", "g", "n")
WAKE = datetime(2026, 11, 23, tzinfo=UTC)
SLUG = ACCOUNT.slug


@pytest.fixture
def store(tmp_path: Path) -> SharedStore:
    return SharedStore(tmp_path, SLUG)


@pytest.fixture
async def journal(store: SharedStore) -> Journal:
    found = Journal(store)
    await found.save(Record(ACCOUNT, "salt", waiting_until=WAKE), None)
    store.writes.clear()
    return found


def counted(record: Record) -> Record:
    return replace(record, epoch=record.epoch + 1)


async def stored(store: SharedStore) -> Record:
    found = await store.read(SLUG)
    assert found is not None
    return codec.load(Record, found.body)


async def test_a_note_is_stored_by_the_next_write(journal: Journal, store: SharedStore) -> None:
    async with journal.lease(ACCOUNT):
        await journal.note(ACCOUNT, counted)
        record, etag = await journal.load(ACCOUNT)
        assert (record.epoch, store.writes, journal.is_behind(ACCOUNT)) == (1, [], True)
        await journal.save(replace(record, waiting="w"), etag)
        assert not journal.is_behind(ACCOUNT)
    assert store.writes == [SLUG]
    assert ((await stored(store)).epoch, (await stored(store)).waiting) == (1, "w")


async def test_a_note_that_changes_nothing_needs_no_write(
    journal: Journal, store: SharedStore
) -> None:
    async with journal.lease(ACCOUNT):
        await journal.note(ACCOUNT, lambda r: None)
        await journal.note(ACCOUNT, lambda r: replace(r))
        assert not journal.is_behind(ACCOUNT)
    assert store.writes == []


async def test_a_note_survives_the_write_of_somebody_else(
    journal: Journal, store: SharedStore
) -> None:
    async with journal.lease(ACCOUNT):
        await journal.note(ACCOUNT, counted)
        record, etag = await journal.load(ACCOUNT)
        await store.put(SLUG, codec.dump(Record(ACCOUNT, "salt", epoch=5)))
        with pytest.raises(Conflict):
            await journal.save(replace(record, waiting="w"), etag)
        assert (await journal.load(ACCOUNT))[0].epoch == 6
        await journal.amend(ACCOUNT, lambda r: replace(r, waiting="again"))
    assert ((await stored(store)).epoch, (await stored(store)).waiting) == (6, "again")


@pytest.mark.parametrize("others", [0, 1])
async def test_what_is_noted_last_is_stored_before_the_lease_ends(
    journal: Journal, store: SharedStore, others: int
) -> None:
    async def write() -> None:
        await store.put(SLUG, codec.dump(Record(ACCOUNT, "salt", epoch=5)))

    async with journal.lease(ACCOUNT):
        store.others = [write] * others
        await journal.note(ACCOUNT, counted)
    assert (await stored(store)).epoch == (6 if others else 1)


async def test_without_the_lease_a_note_is_stored_at_once(
    journal: Journal, store: SharedStore
) -> None:
    await journal.note(ACCOUNT, counted)
    assert ((await stored(store)).epoch, journal.is_behind(ACCOUNT)) == (1, False)


async def test_the_visit_at_the_next_wake_up_begins_with_the_copy_that_was_left(
    journal: Journal, store: SharedStore
) -> None:
    async with journal.lease(ACCOUNT):
        left = await journal.load(ACCOUNT)
        journal.leave(ACCOUNT)
    store.reads.clear()
    async with journal.lease(ACCOUNT, WAKE):
        assert await journal.load(ACCOUNT) == left
        assert journal.is_behind(ACCOUNT), "a write must confirm it before anything is done"
        await journal.save(*left)
        assert not journal.is_behind(ACCOUNT)
    assert store.reads == []


async def test_a_copy_that_is_out_of_date_is_refused_and_read_again(
    journal: Journal, store: SharedStore
) -> None:
    async with journal.lease(ACCOUNT):
        await journal.load(ACCOUNT)
        journal.leave(ACCOUNT)
    await store.put(SLUG, codec.dump(Record(ACCOUNT, "salt", epoch=5)))
    async with journal.lease(ACCOUNT, WAKE):
        with pytest.raises(Conflict):
            await journal.save(*await journal.load(ACCOUNT))
        assert (await journal.load(ACCOUNT))[0].epoch == 5
        assert not journal.is_behind(ACCOUNT)


@pytest.mark.parametrize("wake", [None, WAKE + timedelta(seconds=1)])
async def test_any_other_visit_reads_the_record(
    journal: Journal, store: SharedStore, wake: datetime | None
) -> None:
    async with journal.lease(ACCOUNT):
        await journal.load(ACCOUNT)
        journal.leave(ACCOUNT)
    for now in (wake, WAKE):
        store.reads.clear()
        async with journal.lease(ACCOUNT, now):
            await journal.load(ACCOUNT)
        assert store.reads == [SLUG], "the other visit may have changed it"


async def test_without_a_wake_up_no_copy_serves(journal: Journal, store: SharedStore) -> None:
    await journal.amend(ACCOUNT, lambda r: replace(r, waiting_until=None))
    async with journal.lease(ACCOUNT):
        await journal.load(ACCOUNT)
        journal.leave(ACCOUNT)
    store.reads.clear()
    async with journal.lease(ACCOUNT):
        await journal.load(ACCOUNT)
    assert store.reads == [SLUG]


async def test_the_copy_of_a_stored_record_is_kept_during_the_lease(journal: Journal) -> None:
    other = AccountId("s", "g", "new")
    assert journal.kept(ACCOUNT) is None
    async with journal.lease(ACCOUNT), journal.lease(other):
        assert journal.kept(ACCOUNT) is None, "it was not read yet"
        found = await journal.load(ACCOUNT)
        assert journal.kept(ACCOUNT) == found
        await journal.load(other)
        assert journal.kept(other) is None, "it was never stored"


async def test_only_the_copies_that_were_left_last_are_kept(
    journal: Journal, store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_records, "LEFT", 1)
    other = AccountId("s", "g", "other")
    await journal.save(Record(other, "salt", waiting_until=WAKE), None)
    for account in (ACCOUNT, other):
        async with journal.lease(account):
            await journal.load(account)
            journal.leave(account)
    store.reads.clear()
    for account in (ACCOUNT, other):
        async with journal.lease(account, WAKE):
            await journal.load(account)
    assert store.reads == [SLUG]


async def test_a_note_that_is_made_during_a_write_is_stored_by_the_next_one(
    journal: Journal, store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(*args: Any) -> str:
        monkeypatch.undo()
        await journal.note(ACCOUNT, counted)
        return await store.write(*args)

    async with journal.lease(ACCOUNT):
        await journal.note(ACCOUNT, counted)
        monkeypatch.setattr(store, "write", write)
        await journal.save(*await journal.load(ACCOUNT))
        assert ((await stored(store)).epoch, journal.is_behind(ACCOUNT)) == (1, True)
        assert (await journal.load(ACCOUNT))[0].epoch == 2
        monkeypatch.setattr(store, "write", write)
    assert (await stored(store)).epoch == 3, "one more was made during the last write"


@pytest.fixture
def expired(store: SharedStore) -> None:
    """Every lease has expired when the next one is asked for."""

    @asynccontextmanager
    async def lease(name: str, duration: timedelta) -> AsyncIterator[bool]:
        yield True

    store.lease = lease  # type: ignore[method-assign]


@pytest.mark.usefixtures("expired")
async def test_a_visit_that_outlives_its_lease_does_not_lose_its_notes(
    journal: Journal, store: SharedStore
) -> None:
    async with journal.lease(ACCOUNT):
        await journal.note(ACCOUNT, counted)
        async with journal.lease(ACCOUNT):
            assert (await journal.load(ACCOUNT))[0].epoch == 1
        assert (await stored(store)).epoch == 1
        await journal.amend(ACCOUNT, lambda r: replace(r, waiting="w"))
    assert ((await stored(store)).epoch, (await stored(store)).waiting) == (1, "w")


@pytest.mark.usefixtures("expired")
async def test_a_visit_that_outlives_its_lease_leaves_the_record_to_the_next_one(
    journal: Journal,
) -> None:
    first, second = journal.lease(ACCOUNT), journal.lease(ACCOUNT)
    await first.__aenter__()
    await second.__aenter__()
    await journal.load(ACCOUNT)
    await first.__aexit__(None, None, None)
    assert journal.kept(ACCOUNT) is not None
    await second.__aexit__(None, None, None)
    assert journal.kept(ACCOUNT) is None


async def test_a_copy_with_notes_is_not_left(journal: Journal, store: SharedStore) -> None:
    async with journal.lease(ACCOUNT):
        await journal.note(ACCOUNT, counted)
        journal.leave(ACCOUNT)
    store.reads.clear()
    async with journal.lease(ACCOUNT, WAKE):
        await journal.load(ACCOUNT)
    assert store.reads == [SLUG]
