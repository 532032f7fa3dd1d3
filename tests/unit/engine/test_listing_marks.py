"""A mark tells every instance that a vault's listing has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotation.engine.listing_marks import ListingMarks

from .stores import SharedStore

A, B = "https://kv-a", "https://kv-b"


@pytest.fixture
def store(tmp_path: Path) -> SharedStore:
    return SharedStore(tmp_path, "listings")


async def test_a_renewed_mark_is_another_one_and_leaves_the_others(store: SharedStore) -> None:
    marks = ListingMarks(store)
    assert await marks.all() == {}
    await marks.renew(A)
    await marks.renew(B)
    first = await ListingMarks(store).all()
    await marks.renew(A)
    second = await ListingMarks(store).all()
    assert first.keys() == second.keys() == {A, B}
    assert (first[A] != second[A], first[B]) == (True, second[B])


async def test_two_that_renew_at_once_keep_both_marks(store: SharedStore) -> None:
    store.others = [lambda: ListingMarks(store).renew(B)]
    await ListingMarks(store).renew(A)
    assert (await ListingMarks(store).all()).keys() == {A, B}


async def test_garbage_counts_as_empty_and_is_replaced(store: SharedStore) -> None:
    await store.put("listings", b"garbage")
    marks = ListingMarks(store)
    assert await marks.all() == {}
    await marks.renew(A)
    assert (await marks.all()).keys() == {A}
