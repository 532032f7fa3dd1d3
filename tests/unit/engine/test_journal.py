"""Records are changed only by compare-and-swap, and never replaced while they may be read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from rotation.domain import codec
from rotation.domain.document import Document
from rotation.domain.errors import Conflict, Unreadable
from rotation.domain.ids import AccountId
from rotation.domain.record import FORMAT, Record
from rotation.engine.claims import Claims
from rotation.engine.journal import GARBAGE_FOR, LEASE, Journal, LastSweep
from rotation.engine.record_cache import RecordCache
from rotation.engine.swap import ATTEMPTS

from .stores import SharedStore

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ACCOUNT, OTHER = AccountId("s", "g", "n"), AccountId("s", "g", "other")
NEWER = b'{"format":%d}' % (FORMAT + 1)


@pytest.fixture
def store(tmp_path: Path) -> SharedStore:
    return SharedStore(tmp_path, ACCOUNT.slug)


@pytest.fixture
def journal(store: SharedStore) -> Journal:
    return Journal(store)


async def test_an_account_without_a_record_has_a_new_one_with_its_own_salt(
    journal: Journal,
) -> None:
    record, tag = await journal.load(ACCOUNT)
    assert (record.account, tag) == (ACCOUNT, None)
    assert record == Record(ACCOUNT, record.salt)
    assert len(bytes.fromhex(record.salt)) == 16
    assert record.salt != journal.new(ACCOUNT).salt
    assert await journal.find(ACCOUNT.slug) is None


async def test_a_record_is_saved_only_over_the_one_that_was_read(journal: Journal) -> None:
    record = Record(ACCOUNT, "salt", epoch=1)
    tag = await journal.save(record, None)
    assert await journal.load(ACCOUNT) == (record, tag)
    assert await journal.find(ACCOUNT.slug) == record
    with pytest.raises(Conflict):
        await journal.save(record, None)
    later = await journal.save(replace(record, epoch=2), tag)
    with pytest.raises(Conflict):
        await journal.save(record, tag)
    assert (await journal.load(ACCOUNT))[1] == later


async def test_a_journal_beside_this_one_has_its_own_records(
    journal: Journal, store: SharedStore
) -> None:
    await journal.save(Record(ACCOUNT, "salt"), None)
    beside = journal.beside()
    await beside.save(Record(ACCOUNT, "other"), None)
    assert (await beside.load(ACCOUNT))[0].salt == "other"
    assert (await journal.load(ACCOUNT))[0].salt == "salt"
    assert [name async for name in journal.slugs()] == [ACCOUNT.slug]


async def test_only_records_are_listed(journal: Journal, store: SharedStore) -> None:
    await journal.save(Record(ACCOUNT, "salt"), None)
    await journal.note_sweep(LastSweep(NOW, 1))
    await store.put("a" * 15, b"{}")
    await store.put("a" * 17, b"{}")
    (first,) = [one async for one in journal.stamps()]
    assert first[0] == ACCOUNT.slug
    await journal.amend(ACCOUNT, lambda r: replace(r, epoch=9))
    (second,) = [one async for one in journal.stamps()]
    assert second[0] == first[0]
    assert second[1] != first[1]


@pytest.mark.parametrize(
    ("body", "newer"),
    [
        (b"", False),
        (b"{}", False),
        (b'{"account":1}', False),
        (codec.dump(Record(OTHER, "salt")), False),
        (NEWER, True),
        (codec.dump(replace(Record(ACCOUNT, "salt"), format=FORMAT + 1)), True),
    ],
)
async def test_a_record_that_cannot_be_read_is_an_error(
    journal: Journal, store: SharedStore, body: bytes, newer: bool
) -> None:
    await store.put(ACCOUNT.slug, body)
    for read in (journal.load(ACCOUNT), journal.find(ACCOUNT.slug)):
        with pytest.raises(Unreadable) as caught:
            await read
        assert caught.value.newer is newer


async def test_garbage_is_replaced_once_it_was_seen_for_15_minutes(
    journal: Journal, store: SharedStore
) -> None:
    await store.put(ACCOUNT.slug, b"garbage")
    fresh = Record(ACCOUNT, "salt")
    assert not await journal.set_aside(fresh, NOW)
    assert not await journal.set_aside(fresh, NOW + GARBAGE_FOR - SECOND)
    assert await store.read(ACCOUNT.slug) == await store.read(ACCOUNT.slug)
    with pytest.raises(Unreadable):
        await journal.load(ACCOUNT)
    assert await journal.set_aside(fresh, NOW + GARBAGE_FOR)
    assert (await journal.load(ACCOUNT))[0] == fresh
    kept = await store.read(f"garbage-{ACCOUNT.slug}")
    assert kept is not None
    assert b"Z2FyYmFnZQ==" in kept.body, "a copy of it, in Base64"


async def test_garbage_that_changes_is_seen_for_the_first_time_again(
    journal: Journal, store: SharedStore
) -> None:
    fresh = Record(ACCOUNT, "salt")
    for number in range(3):
        await store.put(ACCOUNT.slug, b"garbage %d" % number)
        assert not await journal.set_aside(fresh, NOW + number * GARBAGE_FOR)
    assert await journal.set_aside(fresh, NOW + 3 * GARBAGE_FOR)


async def test_a_copy_of_garbage_that_cannot_be_read_is_made_again(
    journal: Journal, store: SharedStore
) -> None:
    await store.put(ACCOUNT.slug, b"garbage")
    await store.put(f"garbage-{ACCOUNT.slug}", b"garbage")
    fresh = Record(ACCOUNT, "salt")
    assert not await journal.set_aside(fresh, NOW)
    assert await journal.set_aside(fresh, NOW + GARBAGE_FOR)


async def test_at_once_garbage_is_replaced_at_once_and_copied(
    journal: Journal, store: SharedStore
) -> None:
    await store.put(ACCOUNT.slug, b"garbage")
    fresh = Record(ACCOUNT, "salt")
    assert await journal.set_aside(fresh, NOW, at_once=True)
    assert (await journal.load(ACCOUNT))[0] == fresh
    assert await store.read(f"garbage-{ACCOUNT.slug}") is not None


@pytest.mark.parametrize("at_once", [True, False])
async def test_what_can_be_read_or_is_newer_is_never_replaced(
    journal: Journal, store: SharedStore, at_once: bool
) -> None:
    fresh = Record(ACCOUNT, "fresh")
    assert await journal.set_aside(fresh, NOW, at_once=at_once)
    assert await store.read(ACCOUNT.slug) is None
    await journal.save(Record(ACCOUNT, "salt"), None)
    assert await journal.set_aside(fresh, NOW, at_once=at_once)
    assert (await journal.load(ACCOUNT))[0].salt == "salt"
    await store.put(ACCOUNT.slug, NEWER)
    with pytest.raises(Unreadable):
        await journal.set_aside(fresh, NOW, at_once=at_once)
    found = await store.read(ACCOUNT.slug)
    assert found is not None
    assert found.body == NEWER


async def test_garbage_that_somebody_has_just_replaced_is_a_conflict(
    journal: Journal, store: SharedStore
) -> None:
    await store.put(ACCOUNT.slug, b"garbage")
    store.others = [lambda: store.put(ACCOUNT.slug, codec.dump(Record(ACCOUNT, "theirs")))]
    with pytest.raises(Conflict):
        await journal.set_aside(Record(ACCOUNT, "fresh"), NOW, at_once=True)
    assert (await journal.load(ACCOUNT))[0].salt == "theirs"


async def test_a_change_is_applied_again_after_a_conflict(
    journal: Journal, store: SharedStore
) -> None:
    async def another(epoch: int) -> None:
        await store.put(ACCOUNT.slug, codec.dump(Record(ACCOUNT, "salt", epoch=epoch)))

    store.others = [lambda n=number: another(10 * n) for number in range(1, ATTEMPTS)]  # type: ignore[misc]
    found = await journal.amend(ACCOUNT, lambda r: replace(r, epoch=r.epoch + 1))
    assert found.epoch == 10 * (ATTEMPTS - 1) + 1
    assert (await journal.load(ACCOUNT))[0] == found


async def test_a_document_that_keeps_changing_is_a_conflict_in_the_end(
    journal: Journal, store: SharedStore
) -> None:
    async def another(epoch: int) -> None:
        await store.put(ACCOUNT.slug, codec.dump(Record(ACCOUNT, "salt", epoch=epoch)))

    store.others = [lambda n=number: another(10 * n) for number in range(1, ATTEMPTS + 1)]  # type: ignore[misc]
    with pytest.raises(Conflict):
        await journal.amend(ACCOUNT, lambda r: replace(r, epoch=r.epoch + 1))
    assert store.reads == [ACCOUNT.slug] * ATTEMPTS


@pytest.mark.parametrize("equal", [True, False])
async def test_no_change_writes_nothing(journal: Journal, store: SharedStore, equal: bool) -> None:
    await journal.save(Record(ACCOUNT, "salt"), None)
    store.writes.clear()
    found = await journal.amend(ACCOUNT, lambda r: replace(r) if equal else None)
    assert (found, store.writes) == (Record(ACCOUNT, "salt"), [])


async def test_the_last_sweep_keeps_the_end_of_the_last_that_was_not_cut_short(
    journal: Journal,
) -> None:
    assert await journal.last_sweep() is None
    await journal.note_sweep(LastSweep(NOW, 1, stopped="no time"))
    found = await journal.last_sweep()
    assert found == LastSweep(NOW, 1, stopped="no time")
    await journal.note_sweep(LastSweep(NOW + SECOND, 2, ("p",), unread=("u",)))
    found = await journal.last_sweep()
    assert found == LastSweep(NOW + SECOND, 2, ("p",), succeeded=NOW + SECOND, unread=("u",))
    await journal.note_sweep(LastSweep(NOW + 2 * SECOND, 3, stopped="no time"))
    found = await journal.last_sweep()
    assert found == LastSweep(NOW + 2 * SECOND, 3, stopped="no time", succeeded=NOW + SECOND)


async def test_of_two_sweeps_at_once_one_is_noted(journal: Journal, store: SharedStore) -> None:
    store.contested = "sweep"
    theirs = codec.dump(LastSweep(NOW, 7))
    store.others = [lambda: store.put("sweep", theirs)]
    await journal.note_sweep(LastSweep(NOW, 1))
    found = await journal.last_sweep()
    assert found is not None
    assert found.accounts == 7


async def test_a_last_sweep_that_cannot_be_read_is_none_and_is_replaced(
    journal: Journal, store: SharedStore
) -> None:
    await store.put("sweep", b"garbage")
    assert await journal.last_sweep() is None
    await journal.note_sweep(LastSweep(NOW, 1))
    assert await journal.last_sweep() == LastSweep(NOW, 1, succeeded=NOW)


async def test_an_account_is_leased_by_one_worker_at_a_time(journal: Journal) -> None:
    assert timedelta(seconds=15) <= LEASE <= timedelta(seconds=60)
    async with journal.lease(ACCOUNT) as first, journal.lease(ACCOUNT) as second:
        assert (first, second) == (True, False)
    async with journal.lease(ACCOUNT) as again, journal.lease(OTHER) as other:
        assert (again, other) == (True, True)


async def test_a_leased_record_is_read_once(journal: Journal, store: SharedStore) -> None:
    await journal.save(Record(ACCOUNT, "salt"), None)
    async with journal.lease(ACCOUNT):
        first = await journal.load(ACCOUNT)
        assert await journal.load(ACCOUNT) == first
        await journal.save(replace(first[0], epoch=1), first[1])
        await journal.amend(ACCOUNT, lambda r: replace(r, epoch=r.epoch + 1))
    assert store.reads == [ACCOUNT.slug]
    assert (await journal.load(ACCOUNT))[0].epoch == 2
    assert store.reads == [ACCOUNT.slug] * 2


async def test_a_leased_record_that_someone_else_changed_is_read_again(
    journal: Journal, store: SharedStore
) -> None:
    await journal.save(Record(ACCOUNT, "salt"), None)
    async with journal.lease(ACCOUNT):
        record, tag = await journal.load(ACCOUNT)
        await store.put(ACCOUNT.slug, codec.dump(replace(record, epoch=7)))
        with pytest.raises(Conflict):
            await journal.save(record, tag)
        assert (await journal.load(ACCOUNT))[0].epoch == 7


async def test_a_worker_without_the_lease_reads_the_record_each_time(
    journal: Journal, store: SharedStore
) -> None:
    await journal.save(Record(ACCOUNT, "salt"), None)
    async with store.lease(ACCOUNT.slug, LEASE), journal.lease(ACCOUNT) as ours:
        assert not ours
        await journal.load(ACCOUNT)
        await journal.load(ACCOUNT)
    assert store.reads == [ACCOUNT.slug] * 2


async def test_the_cache_reads_only_the_records_that_changed(
    journal: Journal, store: SharedStore
) -> None:
    cache = RecordCache(journal)
    assert await cache.records() == {}
    one, two = Record(ACCOUNT, "one"), Record(OTHER, "two")
    for record in (one, two):
        await journal.save(record, None)
    assert await cache.records() == {ACCOUNT.slug: one, OTHER.slug: two}
    store.reads.clear()
    assert await cache.records() == {ACCOUNT.slug: one, OTHER.slug: two}
    assert store.reads == []
    changed = await journal.amend(ACCOUNT, lambda r: replace(r, epoch=5))
    store.reads.clear()
    assert await cache.records() == {ACCOUNT.slug: changed, OTHER.slug: two}
    assert store.reads == [ACCOUNT.slug]


async def test_a_record_that_cannot_be_read_does_not_hide_the_others(
    journal: Journal, store: SharedStore
) -> None:
    cache = RecordCache(journal)
    await journal.save(Record(ACCOUNT, "one"), None)
    await store.put(OTHER.slug, b"garbage")
    assert list(await cache.records()) == [ACCOUNT.slug]
    assert list(cache.unreadable) == [OTHER.slug]
    await store.put(OTHER.slug, codec.dump(Record(OTHER, "two")))
    assert set(await cache.records()) == {ACCOUNT.slug, OTHER.slug}
    assert cache.unreadable == {}


async def test_a_record_that_changes_is_not_missing_from_a_reading_that_began_before(
    journal: Journal, tmp_path: Path
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    class Slow(SharedStore):
        async def read(self, name: str) -> Document | None:
            if name == ACCOUNT.slug:
                asked.set()
                await answered.wait()
            return await super().read(name)

    store = Slow(tmp_path, contested=OTHER.slug)
    cache = RecordCache(Journal(store))
    await journal.save(Record(ACCOUNT, "one"), None)
    answered.set()
    await cache.records()
    await journal.save(Record(OTHER, "two"), None)
    answered.clear()
    asked.clear()
    later = []

    async def others() -> None:
        await journal.amend(ACCOUNT, lambda record: replace(record, epoch=5))
        later.append(asyncio.create_task(cache.records()))
        await asked.wait()

    store.others = [others]
    earlier = await cache.records()
    assert earlier[ACCOUNT.slug].epoch == 0
    answered.set()
    assert (await later[0])[ACCOUNT.slug].epoch == 5


async def test_a_record_that_is_gone_leaves_the_cache(journal: Journal, tmp_path: Path) -> None:
    cache = RecordCache(journal)
    await journal.save(Record(ACCOUNT, "one"), None)
    await cache.records()
    (tmp_path / f"{ACCOUNT.slug}.json").unlink()
    assert await cache.records() == {}


async def test_a_record_that_vanishes_after_the_listing_is_left_out(
    store: SharedStore, journal: Journal, tmp_path: Path
) -> None:
    class Vanishing(SharedStore):
        async def read(self, name: str) -> None:
            return None

    await journal.save(Record(ACCOUNT, "one"), None)
    assert await RecordCache(Journal(Vanishing(tmp_path))).records() == {}


async def test_an_idempotency_key_stands_for_the_first_request_that_used_it(
    store: SharedStore,
) -> None:
    claims = Journal(store).claims
    assert await claims.take("k", "request-1", NOW)
    assert await claims.take("k", "request-1", NOW + SECOND)
    assert not await claims.take("k", "request-2", NOW)
    assert await claims.take("other", "request-2", NOW)


@pytest.mark.parametrize(("theirs", "taken"), [("request-1", True), ("request-2", False)])
async def test_of_two_that_take_a_key_at_once_the_first_write_counts(
    store: SharedStore, theirs: str, taken: bool
) -> None:
    store.contested = "key-k"
    store.others = [lambda: Claims(store).take("k", theirs, NOW)]
    assert await Claims(store).take("k", "request-1", NOW) is taken


async def test_a_claim_that_cannot_be_read_refuses_nothing(store: SharedStore) -> None:
    await store.put("key-k", b"garbage")
    assert await Claims(store).take("k", "request-1", NOW)
