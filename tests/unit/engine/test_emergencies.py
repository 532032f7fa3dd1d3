"""Emergencies are found by a listing, changed by compare-and-swap, and never overwritten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from rotation.domain import codec
from rotation.domain.document import Document
from rotation.domain.emergency import FORMAT, Emergency, Verdict
from rotation.domain.errors import Conflict
from rotation.domain.ids import AccountId
from rotation.domain.request import Leaked
from rotation.engine.emergencies import FRESH, PREFIX, UNREADABLE, Emergencies
from rotation.engine.swap import ATTEMPTS
from rotation.runtime.clock import Clock

from .stores import SharedStore

START = datetime(2026, 11, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ACCOUNT, OTHER = AccountId("s", "g", "n"), AccountId("s", "g", "other")


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(tmp_path: Path) -> SharedStore:
    return SharedStore(tmp_path)


@pytest.fixture
def emergencies(store: SharedStore, time: Time) -> Emergencies:
    return Emergencies(store, Clock(time))


def emergency(number: int = 1, account: AccountId = ACCOUNT, **more: object) -> Emergency:
    made = Emergency(
        id=f"{account.slug}-{number}",
        account=account,
        salt="salt",
        leaked=Leaked.KEY1,
        reason="a leak",
        requester="alice",
        at=START + number * SECOND,
    )
    return replace(made, **more)


def closed(e: Emergency) -> Emergency:
    return replace(e, verdict=Verdict.REFUSED)


def newer(verdict: str | None = None) -> bytes:
    more = f',"verdict":"{verdict}"' if verdict else ""
    return f'{{"format":{FORMAT + 1}{more}}}'.encode()


async def put(store: SharedStore, e: Emergency) -> None:
    await store.put(PREFIX + e.id, codec.dump(e))


async def test_what_is_stored_is_found_by_account_by_slug_and_by_id(
    emergencies: Emergencies,
) -> None:
    two, one, other = emergency(2), emergency(1), emergency(3, OTHER)
    for e in (two, one, other):
        assert await emergencies.create(e) == e
    assert await emergencies.of(ACCOUNT) == (one, two), "the oldest first"
    assert await emergencies.of_slug(ACCOUNT.slug) == (one, two)
    assert await emergencies.of(OTHER) == (other,)
    assert await emergencies.all() == (one, two, other)
    assert await emergencies.find(one.id) == one
    assert await emergencies.find(f"{ACCOUNT.slug}-9") is None


async def test_emergencies_of_the_same_time_are_in_the_order_of_their_ids(
    emergencies: Emergencies,
) -> None:
    two, one = emergency(2, at=START), emergency(1, at=START)
    for e in (two, one):
        await emergencies.create(e)
    assert await emergencies.all() == (one, two)


async def test_only_open_ones_are_open(emergencies: Emergencies) -> None:
    over, still = closed(emergency(1)), emergency(2)
    for e in (over, still):
        await emergencies.create(e)
    assert await emergencies.open() == (still,)
    assert await emergencies.all() == (over, still)


async def test_the_first_document_of_an_emergency_counts(
    emergencies: Emergencies, store: SharedStore
) -> None:
    first = emergency(reason="first")
    await emergencies.create(first)
    store.writes.clear()
    assert await emergencies.create(emergency(reason="second")) == first
    assert (await emergencies.find(first.id), store.writes) == (first, [])


async def test_of_two_that_create_it_at_once_the_first_write_counts(
    emergencies: Emergencies, store: SharedStore
) -> None:
    theirs = emergency(reason="theirs")
    await store.put(PREFIX + theirs.id, b"garbage")
    store.contested = PREFIX + theirs.id
    store.others = [lambda: put(store, theirs)]
    assert await emergencies.create(emergency(reason="ours")) == theirs


async def test_garbage_is_replaced_and_a_newer_document_is_not(
    emergencies: Emergencies, store: SharedStore
) -> None:
    one, two = emergency(1), emergency(2)
    await store.put(PREFIX + one.id, b"garbage")
    await store.put(PREFIX + two.id, newer())
    for e in (one, two):
        assert await emergencies.create(e) == e
    assert await emergencies.find(one.id) == one
    assert await emergencies.find(two.id) is None


async def test_a_document_that_is_gone_after_the_conflict_is_written_again(
    emergencies: Emergencies, store: SharedStore, tmp_path: Path
) -> None:
    await store.put(PREFIX + emergency().id, b"garbage")
    read = store.read

    async def gone(name: str) -> Document | None:
        (tmp_path / f"{name}.json").unlink(missing_ok=True)
        return await read(name)

    store.read = gone  # type: ignore[method-assign]
    assert await emergencies.create(emergency()) == emergency()
    store.read = read  # type: ignore[method-assign]
    assert await emergencies.find(emergency().id) == emergency()


async def test_a_document_that_keeps_changing_is_a_conflict_in_the_end(
    emergencies: Emergencies, store: SharedStore
) -> None:
    name = PREFIX + emergency().id
    await store.put(name, b"garbage")
    store.contested = name
    store.others = [lambda n=number: store.put(name, b"%d" % n) for number in range(ATTEMPTS)]  # type: ignore[misc]
    with pytest.raises(Conflict):
        await emergencies.create(emergency())
    assert store.reads == [name] * ATTEMPTS


async def test_a_document_that_changes_less_often_is_written_in_the_end(
    emergencies: Emergencies, store: SharedStore
) -> None:
    name = PREFIX + emergency().id
    store.contested = name
    store.others = [lambda n=number: store.put(name, b"%d" % n) for number in range(ATTEMPTS - 1)]  # type: ignore[misc]
    assert await emergencies.create(emergency()) == emergency()


async def test_one_that_was_just_created_is_found_without_a_new_listing(
    emergencies: Emergencies,
) -> None:
    assert await emergencies.of(ACCOUNT) == ()
    await emergencies.create(emergency())
    assert await emergencies.of(ACCOUNT) == (emergency(),)


@pytest.mark.parametrize(
    ("passed", "is_found"),
    [
        (timedelta(), False),
        (FRESH - SECOND, False),
        (FRESH, True),
        (-FRESH + SECOND, False),
        (-FRESH, True),
    ],
)
async def test_one_of_another_process_is_found_once_the_listing_is_a_minute_old(
    emergencies: Emergencies, store: SharedStore, time: Time, passed: timedelta, is_found: bool
) -> None:
    await emergencies.of(ACCOUNT)
    await put(store, emergency())
    time.at += passed
    assert bool(await emergencies.of(ACCOUNT)) is is_found
    assert await emergencies.of_slug(ACCOUNT.slug) == (emergency(),)


async def test_one_that_the_record_names_is_found_at_once(
    emergencies: Emergencies, store: SharedStore
) -> None:
    await emergencies.of(ACCOUNT)
    await put(store, emergency())
    named = [emergency().id, f"{ACCOUNT.slug}-9"]
    assert await emergencies.of(ACCOUNT, named) == (emergency(),)


async def test_all_of_them_come_from_a_new_listing(
    emergencies: Emergencies, store: SharedStore
) -> None:
    await emergencies.of(ACCOUNT)
    await put(store, emergency())
    assert await emergencies.all() == (emergency(),)


async def test_a_closed_one_is_read_again_only_if_it_changed(
    emergencies: Emergencies, store: SharedStore
) -> None:
    over = closed(emergency())
    await put(store, over)
    await emergencies.all()
    store.reads.clear()
    assert await emergencies.all() == (over,)
    assert await emergencies.of(ACCOUNT) == (over,)
    assert store.reads == []
    changed = replace(over, reason="edited")
    await put(store, changed)
    assert await emergencies.all() == (changed,)


async def test_an_open_one_is_read_again_unless_it_was_just_listed(
    emergencies: Emergencies, store: SharedStore
) -> None:
    await put(store, emergency())
    await emergencies.all()
    store.reads.clear()
    await emergencies.all()
    assert store.reads == []
    await put(store, closed(emergency()))
    assert await emergencies.of(ACCOUNT) == (closed(emergency()),)


async def test_one_that_was_created_here_is_read_until_it_is_listed(
    emergencies: Emergencies, store: SharedStore
) -> None:
    over = closed(emergency())
    await emergencies.of(ACCOUNT)
    await emergencies.create(over)
    await emergencies.of(ACCOUNT)
    await put(store, replace(over, reason="edited"))
    assert (await emergencies.of(ACCOUNT))[0].reason == "edited"


@pytest.mark.parametrize(
    ("body", "is_unreadable"),
    [
        (b"garbage", True),
        (b"[]", True),
        (newer(), True),
        (newer("open"), True),
        (newer("refused"), False),
        (newer("another"), False),
        (b'{"format":"2","verdict":"refused"}', True),
        (b'{"format":1,"verdict":"refused"}', True),
    ],
)
async def test_a_document_that_cannot_be_read_is_named_unless_a_newer_version_closed_it(
    emergencies: Emergencies, store: SharedStore, body: bytes, is_unreadable: bool
) -> None:
    e = emergency()
    await store.put(PREFIX + e.id, body)
    assert await emergencies.all() == ()
    assert list(emergencies.unreadable) == [e.id] * is_unreadable
    await put(store, e)
    assert await emergencies.all() == (e,)
    assert emergencies.unreadable == {}


async def test_a_newer_document_is_told_from_a_damaged_one(
    emergencies: Emergencies, store: SharedStore
) -> None:
    one, two = emergency(1), emergency(2)
    await store.put(PREFIX + one.id, newer())
    await store.put(PREFIX + two.id, b"garbage")
    await emergencies.all()
    assert "newer version" in emergencies.unreadable[one.id]
    assert "cannot be read" in emergencies.unreadable[two.id]


async def test_a_document_that_is_gone_is_no_longer_named(
    emergencies: Emergencies, store: SharedStore, tmp_path: Path
) -> None:
    one, two = emergency(1), emergency(2)
    for e in (one, two):
        await store.put(PREFIX + e.id, b"garbage")
    await emergencies.all()
    (tmp_path / f"{PREFIX}{one.id}.json").unlink()
    await emergencies.all()
    assert list(emergencies.unreadable) == [two.id]


async def test_a_change_is_saved_only_over_what_was_read(
    emergencies: Emergencies, store: SharedStore
) -> None:
    before, after = emergency(), emergency(reason="after")
    with pytest.raises(Conflict):
        await emergencies.save(before, after)
    await emergencies.create(before)
    await emergencies.save(before, after)
    assert await emergencies.find(before.id) == after
    with pytest.raises(Conflict):
        await emergencies.save(before, after)
    store.contested = PREFIX + before.id
    store.others = [lambda: put(store, before)]
    with pytest.raises(Conflict):
        await emergencies.save(after, closed(after))


async def test_a_change_is_applied_again_after_a_conflict(
    emergencies: Emergencies, store: SharedStore
) -> None:
    e = emergency()
    await emergencies.create(e)
    store.contested = PREFIX + e.id
    store.others = [lambda: put(store, replace(e, reason="theirs"))]
    changed = await emergencies.amend(e.id, lambda found: replace(found, why="why"))
    assert changed == replace(e, reason="theirs", why="why")
    assert await emergencies.find(e.id) == changed


@pytest.mark.parametrize("body", [None, b"garbage", newer()])
async def test_what_cannot_be_read_is_not_changed(
    emergencies: Emergencies, store: SharedStore, body: bytes | None
) -> None:
    if body:
        await store.put(PREFIX + "x", body)
    assert await emergencies.amend("x", lambda found: replace(found, why="why")) is None
    assert store.writes == []


async def test_why_a_document_cannot_be_read_is_explained_with_the_remedy(
    emergencies: Emergencies, store: SharedStore
) -> None:
    fine, damaged, later = emergency(1), emergency(2), emergency(3)
    await put(store, fine)
    await store.put(PREFIX + damaged.id, b"garbage")
    await store.put(PREFIX + later.id, newer())
    assert await emergencies.explain(fine.id) is None
    assert await emergencies.explain("missing") is None
    for e, why, remedy in (
        (damaged, "cannot be read", f"restore its document {PREFIX}{damaged.id}"),
        (later, "a newer version", "deploy that version again"),
    ):
        found = await emergencies.explain(e.id)
        assert found is not None
        assert found.code == UNREADABLE
        assert why in str(found)
        assert found.remedy == f"{remedy}, or report the leak again"
