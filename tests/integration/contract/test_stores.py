"""The contract of the port Store, for files and for blobs."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from azure.storage.blob.aio import BlobLeaseClient

from rotation.adapters import blob_listing, storage
from rotation.adapters.file_store import FileStore
from rotation.domain.errors import Conflict, Permanent, Transient
from rotation.ports import Store
from tests.azurite import connection_string, free_ports

from .conftest import NO_CREDENTIAL, BadNetwork, Blobs, StoreUnderTest
from .counter import add

SHORTEST = timedelta(seconds=15)


class TestDocuments:
    async def test_a_document_that_was_never_written_is_none(self, store: Store) -> None:
        assert await store.read("absent") is None
        assert [name async for name, _ in store.stamps()] == []

    async def test_a_document_is_read_as_written(self, store: Store) -> None:
        etag = await store.write("a-1", b'{"caf\xc3\xa9": 1}', None)
        found = await store.read("a-1")
        assert found is not None
        assert (found.body, found.etag) == (b'{"caf\xc3\xa9": 1}', etag)

    async def test_an_empty_document_is_a_document(self, store: Store) -> None:
        etag = await store.write("empty", b"", None)
        found = await store.read("empty")
        assert found is not None
        assert (found.body, found.etag) == (b"", etag)

    async def test_names_are_those_of_documents_only(self, store: Store) -> None:
        for name in ("b", "a", "c-3"):
            await store.write(name, b"{}", None)
        async with store.lease("leased-only", SHORTEST):
            pass
        assert sorted([name async for name, _ in store.stamps()]) == ["a", "b", "c-3"]

    async def test_an_etag_changes_whenever_its_document_does_and_only_then(
        self, store: Store
    ) -> None:
        first, _ = await store.write("a", b"{}", None), await store.write("b", b"{}", None)
        before = {name: mark async for name, mark in store.stamps()}
        assert {name: mark async for name, mark in store.stamps()} == before
        await store.write("a", b"{}", first)
        after = {name: mark async for name, mark in store.stamps()}
        assert after["a"] != before["a"]
        assert after["b"] == before["b"]

    async def test_an_index_is_listed_with_its_document_until_the_next_write(
        self, store: Store
    ) -> None:
        assert [entry async for entry in store.entries()] == []
        first = await store.write("a", b"{}", None, "1 1800000000 ff")
        await store.write("b", b"{}", None)
        stamps = {name: mark async for name, mark in store.stamps()}
        found = {entry.name: entry async for entry in store.entries()}
        assert {name: entry.index for name, entry in found.items()} == {
            "a": "1 1800000000 ff",
            "b": "",
        }
        assert {name: entry.stamp for name, entry in found.items()} == stamps
        second = await store.write("a", b"{}", first)
        assert [entry.index async for entry in store.entries("a")] == [""]
        await store.write("a", b"{}", second, "1 unused")
        assert [entry.index async for entry in store.entries("a")] == ["1 unused"]

    @pytest.mark.parametrize("name", ["", "A", "../up", "a/b", "a.json", "a\n", "ä"])
    async def test_other_names_are_refused(self, store: Store, name: str) -> None:
        with pytest.raises(ValueError, match="name"):
            await store.read(name)
        with pytest.raises(ValueError, match="name"):
            await store.write(name, b"", None)
        with pytest.raises(ValueError, match="name"):
            async with store.lease(name, SHORTEST):
                pass


class TestCompareAndSwap:
    async def test_the_current_tag_may_write_and_makes_a_new_one(self, store: Store) -> None:
        first = await store.write("a", b"1", None)
        second = await store.write("a", b"2", first)
        third = await store.write("a", b"3", second)
        found = await store.read("a")
        assert found is not None
        assert (found.body, found.etag) == (b"3", third)
        assert len({first, second, third}) == 3

    async def test_a_stale_tag_is_a_conflict_and_changes_nothing(self, store: Store) -> None:
        stale = await store.write("a", b"1", None)
        await store.write("a", b"2", stale)
        with pytest.raises(Conflict):
            await store.write("a", b"lost", stale)
        found = await store.read("a")
        assert found is not None
        assert found.body == b"2"

    async def test_a_tag_is_stale_even_if_the_content_came_back(self, store: Store) -> None:
        old = await store.write("a", b"1", None)
        between = await store.write("a", b"2", old)
        await store.write("a", b"1", between)
        with pytest.raises(Conflict):
            await store.write("a", b"3", old)

    async def test_creating_what_exists_is_a_conflict(self, store: Store) -> None:
        await store.write("a", b"1", None)
        with pytest.raises(Conflict):
            await store.write("a", b"1", None)

    async def test_changing_what_does_not_exist_is_a_conflict(self, store: Store) -> None:
        tag = await store.write("a", b"1", None)
        with pytest.raises(Conflict):
            await store.write("b", b"1", tag)

    async def test_one_of_two_clients_that_read_the_same_document_wins(
        self, under_test: StoreUnderTest
    ) -> None:
        stores = [under_test.another() for _ in range(6)]
        tag = await under_test.store.write("a", b"0", None)
        writes = [s.write("a", str(i).encode(), tag) for i, s in enumerate(stores)]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        won = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, str)]
        assert len(won) == 1
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 5
        found = await under_test.store.read("a")
        assert found is not None
        assert (found.body, found.etag) == (str(won[0]).encode(), outcomes[won[0]])

    async def test_no_update_is_lost_between_processes(self, under_test: StoreUnderTest) -> None:
        await add(under_test.store)
        place = [under_test.kind, under_test.place, under_test.container]
        command = [sys.executable, "-m", "tests.integration.contract.counter", *place, "20"]
        processes = [await asyncio.create_subprocess_exec(*command) for _ in range(2)]
        assert [await process.wait() for process in processes] == [0, 0]
        found = await under_test.store.read("counter")
        assert found is not None
        assert int(found.body) == 41


class TestLeases:
    async def test_only_one_caller_holds_a_lease(self, under_test: StoreUnderTest) -> None:
        async with under_test.store.lease("a", SHORTEST) as ours:
            async with under_test.another().lease("a", SHORTEST) as theirs:
                assert (ours, theirs) == (True, False)
            async with under_test.another().lease("a", SHORTEST) as still:
                assert not still

    async def test_leaving_the_context_releases_it(self, under_test: StoreUnderTest) -> None:
        with pytest.raises(KeyError):
            async with under_test.store.lease("a", SHORTEST):
                raise KeyError
        async with under_test.another().lease("a", SHORTEST) as ours:
            assert ours

    async def test_each_name_has_its_own_lease(self, store: Store) -> None:
        async with store.lease("a", SHORTEST) as a, store.lease("b", SHORTEST) as b:
            assert (a, b) == (True, True)

    async def test_a_lease_does_not_stop_the_writes_of_others(
        self, under_test: StoreUnderTest
    ) -> None:
        tag = await under_test.store.write("a", b"1", None)
        async with under_test.store.lease("a", SHORTEST):
            await under_test.another().write("a", b"2", tag)

    async def test_one_of_many_concurrent_callers_acquires_it(
        self, under_test: StoreUnderTest
    ) -> None:
        async def hold(store: Store) -> bool:
            async with store.lease("a", SHORTEST) as ours:
                await gate.wait()
                return ours

        gate = asyncio.Event()
        tasks = [asyncio.create_task(hold(under_test.another())) for _ in range(5)]
        await asyncio.sleep(0.5)
        gate.set()
        assert sorted(await asyncio.gather(*tasks)) == [False] * 4 + [True]

    @pytest.mark.parametrize("seconds", [0, 14, 61])
    async def test_a_lease_lasts_15_to_60_seconds(self, store: Store, seconds: int) -> None:
        with pytest.raises(ValueError, match="15 s to 60 s"):
            async with store.lease("a", timedelta(seconds=seconds)):
                pass

    @pytest.mark.slow
    async def test_an_expired_lease_can_be_acquired(self, under_test: StoreUnderTest) -> None:
        """And its late owner's exit does not take it from the new one."""
        async with under_test.store.lease("a", SHORTEST):
            await under_test.outlive_lease()
            taken = under_test.another().lease("a", SHORTEST)
            assert await taken.__aenter__()
        async with under_test.another().lease("a", SHORTEST) as third:
            assert not third
        await taken.__aexit__(None, None, None)


class TestFiles:
    async def test_a_lease_is_released_when_its_owner_exits(self, tmp_path: Path) -> None:
        script = f"""
import asyncio
from datetime import timedelta
from rotation.adapters.file_store import FileStore
async def main():
    async with FileStore({str(tmp_path)!r}).lease("a", timedelta(seconds=60)) as ours:
        print(ours, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
        owner = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, stdout=subprocess.PIPE
        )
        assert owner.stdout is not None
        assert await owner.stdout.readline() == b"True\n"
        async with FileStore(tmp_path).lease("a", SHORTEST) as ours:
            assert not ours
        owner.kill()
        await owner.wait()
        async with FileStore(tmp_path).lease("a", SHORTEST) as ours:
            assert ours

    async def test_other_users_cannot_read_the_files(self, tmp_path: Path) -> None:
        directory = tmp_path / "journal"
        store = FileStore(directory)
        await store.write("a", b"{}", None)
        async with store.lease("a", SHORTEST):
            modes = {p: stat.S_IMODE(p.stat().st_mode) for p in [directory, *directory.rglob("*")]}
        assert {mode for p, mode in modes.items() if p.is_dir()} == {0o700}
        assert {mode for p, mode in modes.items() if p.is_file()} == {0o600}

    async def test_a_change_by_hand_is_detected(self, tmp_path: Path) -> None:
        store = FileStore(tmp_path)
        tag = await store.write("a", b"1", None)
        path = tmp_path / "a.json"
        path.write_bytes(b"2")
        with pytest.raises(Conflict):
            await store.write("a", b"3", tag)

    async def test_foreign_files_are_not_documents(self, tmp_path: Path) -> None:
        (tmp_path / "Read me.json").touch()
        (tmp_path / ".abc.json").touch()
        assert [name async for name, _ in FileStore(tmp_path).stamps()] == []

    async def test_nothing_temporary_is_left(self, tmp_path: Path) -> None:
        store = FileStore(tmp_path)
        tag = await store.write("a", b"1", None)
        await store.write("a", b"2", tag)
        assert set(os.listdir(tmp_path)) <= {"a.json", ".lock", "leases"}

    async def test_a_directory_that_cannot_be_used_says_what_to_do(self, tmp_path: Path) -> None:
        place = tmp_path / "file"
        place.write_text("no directory")
        with pytest.raises(Permanent) as refused:
            await FileStore(place).write("a", b"1", None)
        assert "directory" in refused.value.remedy


@pytest.mark.azurite
class TestBlobs:
    async def test_a_write_whose_response_was_lost_is_recognised_as_done(
        self, blobs: Blobs
    ) -> None:
        network = BadNetwork()
        store = blobs.store(transport=network, retry_total=0)
        tag = await store.write("a", b"1", None)
        network.lost_answers = 1
        tag = await store.write("a", b"2", tag)
        found = await store.read("a")
        assert (found.body, found.etag) == (b"2", tag)

    async def test_a_creation_whose_response_was_lost_is_recognised_as_done(
        self, blobs: Blobs
    ) -> None:
        network = BadNetwork()
        store = blobs.store(transport=network, retry_total=0)
        await store.write("other", b"", None)
        network.lost_answers = 1
        tag = await store.write("a", b"1", None)
        found = await store.read("a")
        assert (found.body, found.etag) == (b"1", tag)

    @pytest.mark.parametrize("exists", [True, False])
    async def test_a_write_that_never_arrived_is_transient(
        self, blobs: Blobs, exists: bool
    ) -> None:
        network = BadNetwork()
        store = blobs.store(transport=network, retry_total=0)
        await store.write("other", b"", None)
        tag = await store.write("a", b"1", None) if exists else None
        network.lost_requests = 1
        with pytest.raises(Transient) as lost:
            await store.write("a", b"2", tag)
        assert not isinstance(lost.value, Conflict)
        await store.write("a", b"3", tag)

    async def test_a_lost_write_that_another_write_overtook_is_a_conflict(
        self, blobs: Blobs
    ) -> None:
        network = BadNetwork()
        store = blobs.store(transport=network, retry_total=0)
        tag = await store.write("a", b"1", None)
        await blobs.store().write("a", b"2", tag)
        network.lost_requests = 1
        with pytest.raises(Conflict):
            await store.write("a", b"3", tag)

    @pytest.mark.parametrize("exists", [True, False])
    async def test_a_write_that_arrives_twice_does_not_conflict_with_itself(
        self, blobs: Blobs, exists: bool
    ) -> None:
        """Repeat a write as aiohttp does when a kept connection breaks."""
        network = BadNetwork()
        store = blobs.store(transport=network, retry_total=0)
        tag = await store.write("a", b"1", None) if exists else None
        network.twice = True
        tag = await store.write("a", b"2", tag)
        found = await store.read("a")
        assert (found.body, found.etag) == (b"2", tag)

    async def test_a_listing_has_pages(self, blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
        store = blobs.store()
        for number in range(5):
            await store.write(f"a-{number}", b"{}", None, f"1 {number}")
        monkeypatch.setattr(blob_listing, "PAGE", 2)
        found = {entry.name: entry.index async for entry in store.entries()}
        assert found == {f"a-{number}": f"1 {number}" for number in range(5)}

    async def test_a_service_that_cannot_be_reached_is_transient(self, blobs: Blobs) -> None:
        blobs.connection_string = connection_string(*free_ports(2))
        store = blobs.store(retry_total=0)
        with pytest.raises(Transient):
            await store.read("a")
        with pytest.raises(Transient):
            [name async for name, _ in store.stamps()]
        with pytest.raises(Transient):
            async with store.lease("a", SHORTEST):
                pass

    async def test_a_refusal_names_the_role(self, blobs: Blobs) -> None:
        wrong = "AccountKey=" + "B" * 86 + "==;"
        parts = [p for p in blobs.connection_string.split(";") if not p.startswith("AccountKey")]
        blobs.connection_string = ";".join(parts) + wrong
        store = blobs.store(retry_total=0)
        with pytest.raises(Permanent) as refused:
            await store.write("a", b"1", None)
        assert "Storage Blob Data Contributor" in refused.value.remedy
        assert "BBBB" not in str(refused.value)
        assert refused.value.__suppress_context__ or refused.value.__context__ is None

    async def test_a_lost_release_is_not_an_error(self, blobs: Blobs) -> None:
        async with blobs.store().lease("a", SHORTEST) as ours:
            assert ours
            await _break(blobs, "leases/a")


async def _break(blobs: Blobs, name: str) -> None:
    service, queues = storage.services(blobs.settings, NO_CREDENTIAL, {})
    async with service, queues:
        await BlobLeaseClient(service.get_blob_client(blobs.container, name)).break_lease(0)
