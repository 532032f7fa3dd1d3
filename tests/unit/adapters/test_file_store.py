"""Documents in files, beyond the contract of all stores: marks, leases and rights."""

from __future__ import annotations

import stat
import time
from datetime import timedelta
from pathlib import Path

import pytest

from rotation.adapters.file_lock import acquire
from rotation.adapters.file_store import FileStore
from rotation.domain.errors import Conflict, Permanent

MOMENT = 2 * 10**18  # ns: later than the present, so that the file system did not choose it


async def mark(store: FileStore) -> str:
    ((_, found),) = [pair async for pair in store.stamps()]
    return found


async def test_equal_contents_have_different_marks_although_the_clock_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: MOMENT)
    store = FileStore(tmp_path)
    first = await store.write("a", b"{}", None)
    assert await mark(store) == str(MOMENT)
    second = await store.write("a", b"{}", first)
    assert await mark(store) == str(MOMENT + 1)
    assert first != second
    assert len(first) == len(second) == 32
    with pytest.raises(Conflict):
        await store.write("a", b"{}", first)


async def test_only_documents_with_the_prefix_are_listed_in_order(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    for name in ("b-2", "b-1", "a"):
        await store.write(name, b"{}", None)
    (tmp_path / "Not a name.json").touch()
    assert [name async for name, _ in store.stamps()] == ["a", "b-1", "b-2"]
    assert [name async for name, _ in store.stamps("b-")] == ["b-1", "b-2"]


async def test_only_its_owner_may_read_the_directory_and_its_files(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "deep" / "journal")
    await store.write("a", b"{}", None)
    async with store.lease("a", timedelta(seconds=15)):
        pass
    made = [tmp_path / "deep/journal", *(tmp_path / "deep/journal").rglob("*")]
    assert len(made) == 6
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in made} == {0}


async def test_a_write_leaves_no_other_file_behind(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await store.write("a", b"{}", None)
    assert names(tmp_path) == {"a.json", ".lock"}


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


async def test_a_directory_that_cannot_be_used_is_an_error_of_the_service(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Permanent, match="write document a: ") as caught:
        await FileStore(tmp_path / "file").write("a", b"{}", None)
    assert (caught.value.code, caught.value.of_service) == ("JournalDirectory", True)


def test_a_lease_is_taken_over_once_it_has_expired(tmp_path: Path) -> None:
    now = [100.0]
    first = acquire(tmp_path, "a", 15, lambda: now[0])
    assert first is not None
    assert (tmp_path / "a").read_text() == "115.0"
    now[0] = 114.9
    assert acquire(tmp_path, "a", 15, lambda: now[0]) is None
    now[0] = 115.0
    second = acquire(tmp_path, "a", 15, lambda: now[0])
    assert second is not None
    assert (tmp_path / "a").read_text() == "130.0"
    first.close()
    assert acquire(tmp_path, "a", 15, lambda: now[0]) is None, "it is the second one's now"
    second.close()
    third = acquire(tmp_path, "a", 15, lambda: now[0])
    assert third is not None
    third.close()


def test_a_lease_without_a_time_has_expired(tmp_path: Path) -> None:
    first = acquire(tmp_path, "a", 15, lambda: 0.0)
    assert first is not None
    (tmp_path / "a").write_text("")
    second = acquire(tmp_path, "a", 15, lambda: 0.0)
    assert second is not None
    for one in (first, second):
        one.close()


async def test_an_index_that_is_not_text_hides_no_document(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await store.write("a", b"{}", None, index="1 unused")
    (tmp_path / "index" / "a").write_bytes(b"\xff\xfe")
    assert [(entry.name, entry.index) async for entry in store.entries()] == [("a", "")]
