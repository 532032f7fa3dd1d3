"""The journal's blobs and the work queue through the real clients: what each failure means."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.core.identity import Principal
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from emulator.services.storage.routes import StorageAccount
from rotation.adapters import blob_store, storage, storage_queue
from rotation.adapters.blob_store import BlobStore
from rotation.adapters.pipeline import storage_options
from rotation.adapters.storage_queue import StorageQueue
from rotation.domain.errors import Conflict, Permanent, RotationError, Transient, Unknown
from rotation.settings.storage import StorageSettings

from .failures import failing

SETTINGS = StorageSettings(
    "identity", "https://stdemo.blob.core.windows.net", "https://stdemo.queue.core.windows.net"
)

LEASE = timedelta(seconds=15)
CODE = "x-ms-error-code"


@dataclass
class Storage:
    """The service's store and queue, with the emulated account behind them."""

    azure: Azure
    there: StorageAccount
    store: BlobStore
    queue: StorageQueue

    def fail(self, kind: str, method: str, match: str = "*", **more: Any) -> None:
        """Let one request to the account fail."""
        fault = Fault(kind, "storage.*", method=method, match=f"*stdemo*{match}", **more)
        self.azure.faults.add(fault)

    def answer(
        self, method: str, status: int, code: str = "", match: str = "*", **more: Any
    ) -> None:
        """Let one request be answered with an error of the storage service."""
        headers = {"Content-Type": "application/xml"} | ({CODE: code} if code else {})
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>" if code else ""
        self.fail("answer", method, match, status=status, headers=headers, body=body, **more)


@pytest.fixture
async def storages(azure: Azure, credential: AsyncCredential) -> AsyncIterator[Storage]:
    there = azure.add_storage("stdemo")
    options = {**storage_options(), "transport": AsyncEmulatorTransport(azure)}
    blobs, queues = storage.services(SETTINGS, credential, options)
    store, queue = BlobStore(blobs, "journal"), StorageQueue(queues, "work")
    yield Storage(azure, there, store, queue)
    await store.close()
    await queue.close()


class TestDocuments:
    async def test_the_first_write_creates_the_container(self, storages: Storage) -> None:
        etag = await storages.store.write("a-1", b"{}", None)
        found = await storages.store.read("a-1")
        assert found is not None
        assert (found.body, found.etag) == (b"{}", etag)
        (before,) = [one async for one in storages.store.stamps()]
        await storages.store.write("a-1", b"[]", etag)
        (after,) = [one async for one in storages.store.stamps()]
        assert before[0] == after[0] == "a-1"
        assert before[1] != after[1], "a stamp changes with the document"

    async def test_an_absent_document_is_none(self, storages: Storage) -> None:
        assert await storages.store.read("a-1") is None, "nor is there a container"
        await storages.store.write("a-1", b"{}", None)
        assert await storages.store.read("a-2") is None
        assert [one async for one in storages.store.stamps("a-2")] == []

    async def test_without_a_container_nothing_is_listed(self, storages: Storage) -> None:
        assert [one async for one in storages.store.stamps()] == []

    async def test_only_the_present_etag_may_replace_a_document(self, storages: Storage) -> None:
        first = await storages.store.write("a-1", b"1", None)
        second = await storages.store.write("a-1", b"2", first)
        assert second != first
        for etag in (first, None):
            failed = await failing(storages.store.write("a-1", b"3", etag))
            assert type(failed) is Conflict
            assert not failed.of_service
        found = await storages.store.read("a-1")
        assert found is not None
        assert (found.body, found.etag) == (b"2", second)

    async def test_a_deleted_document_is_a_conflict(self, storages: Storage) -> None:
        await storages.store.write("a-1", b"1", None)
        storages.answer("PUT", 404, "BlobNotFound")
        failed = await failing(storages.store.write("a-1", b"2", '"0x1"'))
        assert (type(failed), failed.code) == (Conflict, "BlobNotFound")

    @pytest.mark.parametrize("name", ["A-1", "../a", "a/b", ""])
    async def test_another_name_is_refused(self, storages: Storage, name: str) -> None:
        with pytest.raises(ValueError, match="document name"):
            await storages.store.write(name, b"", None)
        assert not storages.azure.calls


class TestLostAnswers:
    """A write whose answer is lost is looked up by the id that it put into the metadata."""

    async def test_a_write_that_happened_succeeds(self, storages: Storage) -> None:
        first = await storages.store.write("a-1", b"1", None)
        storages.fail("drop", "PUT", "a-1", after=True)
        second = await storages.store.write("a-1", b"2", first)
        found = await storages.store.read("a-1")
        assert found is not None
        assert (found.body, found.etag) == (b"2", second)

    async def test_a_write_that_did_not_happen_is_transient(self, storages: Storage) -> None:
        first = await storages.store.write("a-1", b"1", None)
        storages.fail("drop", "PUT", "a-1")
        failed = await failing(storages.store.write("a-1", b"2", first))
        assert (type(failed), "was lost" in str(failed)) == (Transient, True)

    async def test_a_first_write_that_did_not_happen_is_transient(self, storages: Storage) -> None:
        await storages.store.write("a-1", b"1", None)
        storages.fail("drop", "PUT", "a-2")
        failed = await failing(storages.store.write("a-2", b"2", None))
        assert (type(failed), "was lost" in str(failed)) == (Transient, True)

    async def test_a_write_that_another_one_overtook_is_a_conflict(self, storages: Storage) -> None:
        first = await storages.store.write("a-1", b"1", None)
        await storages.store.write("a-1", b"2", first)
        storages.fail("drop", "PUT", "a-1")
        failed = await failing(storages.store.write("a-1", b"3", first))
        assert (type(failed), failed.code) == (Conflict, "ConditionNotMet")

    async def test_a_write_that_arrived_twice_succeeds(self, storages: Storage) -> None:
        """The second one conflicts with the first, but carries the same id."""
        first = await storages.store.write("a-1", b"1", None)
        storages.answer("PUT", 412, "ConditionNotMet", "a-1", after=True)
        second = await storages.store.write("a-1", b"2", first)
        found = await storages.store.read("a-1")
        assert found is not None
        assert (found.body, found.etag) == (b"2", second)

    async def test_a_write_that_cannot_be_looked_up_stays_unknown(self, storages: Storage) -> None:
        first = await storages.store.write("a-1", b"1", None)
        storages.fail("drop", "PUT", "a-1", after=True)
        storages.answer("HEAD", 503)
        failed = await failing(storages.store.write("a-1", b"2", first))
        assert type(failed) is Unknown
        assert str(failed).startswith("write document a-1: ")


class TestLeases:
    async def test_one_of_two_owners_holds_a_lease_until_it_is_released(
        self, storages: Storage
    ) -> None:
        store = storages.store
        async with store.lease("a-1", LEASE) as first:
            async with store.lease("a-1", LEASE) as second:
                assert (first, second) == (True, False)
            async with store.lease("a-2", LEASE) as other:
                assert other
            async with store.lease("a-1", LEASE) as still:
                assert not still, "the loser's end releases nothing"
        async with store.lease("a-1", LEASE) as later:
            assert later

    async def test_a_lease_is_not_a_document(self, storages: Storage) -> None:
        async with storages.store.lease("a-1", LEASE):
            assert await storages.store.read("a-1") is None
            assert [one async for one in storages.store.stamps()] == []

    async def test_a_lease_ends_with_its_time(self, storages: Storage) -> None:
        async with storages.store.lease("a-1", LEASE):
            storages.azure.advance(LEASE + timedelta(seconds=1))
            async with storages.store.lease("a-1", LEASE) as later:
                assert later

    async def test_a_lease_that_cannot_be_released_expires(self, storages: Storage) -> None:
        async with storages.store.lease("a-1", LEASE) as held:
            assert held
            storages.answer("PUT", 503, match="comp=lease*")

    @pytest.mark.parametrize("code", ["BlobAlreadyExists", "LeaseIdMissing"])
    async def test_a_blob_that_another_worker_creates_in_the_meantime_is_leased(
        self, storages: Storage, code: str
    ) -> None:
        async with storages.store.lease("a-1", LEASE):
            """Creates the blob."""
        storages.answer("PUT", 404, "BlobNotFound", match="comp=lease*")
        storages.answer("PUT", 409, code, match="leases/a-1")
        async with storages.store.lease("a-1", LEASE) as held:
            assert held

    @pytest.mark.parametrize(
        ("status", "code", "held"),
        [
            (409, "LeaseAlreadyPresent", False),
            (409, "LeaseIsBreakingAndCannotBeAcquired", False),
            (503, "ServerBusy", None),
        ],
    )
    async def test_a_held_lease_is_not_an_error_and_a_failure_is_one(
        self, storages: Storage, status: int, code: str, held: bool | None
    ) -> None:
        storages.answer("PUT", status, code, match="comp=lease*")
        if held is None:
            with pytest.raises(Transient, match="lease leases/a-1: 503 ServerBusy"):
                await storages.store.lease("a-1", LEASE).__aenter__()
            return
        async with storages.store.lease("a-1", LEASE) as found:
            assert found is held

    @pytest.mark.parametrize("seconds", [14, 61])
    async def test_a_lease_lasts_15_to_60_seconds(self, storages: Storage, seconds: int) -> None:
        with pytest.raises(ValueError, match="15 s to 60 s"):
            await storages.store.lease("a-1", timedelta(seconds=seconds)).__aenter__()


class TestFailures:
    """All but a conflict are faults of the service itself: every account fails alike."""

    async def test_a_missing_right_names_its_role(
        self, storages: Storage, principal: Principal
    ) -> None:
        principal.assignments.clear()
        store, queue = storages.store, storages.queue
        calls = {
            "read document a-1: 403": (store.read("a-1"), blob_store.ROLE),
            "write document a-1: 403": (store.write("a-1", b"", None), blob_store.ROLE),
            "list the documents: 403": (anext(store.stamps()), blob_store.ROLE),
            "lease leases/a-1: 403": (store.lease("a-1", LEASE).__aenter__(), blob_store.ROLE),
            "put into queue work: 403": (queue.put("x"), storage_queue.ROLE),
        }
        for doing, (call, role) in calls.items():
            failed = await failing(call)
            assert isinstance(failed, Permanent)
            assert str(failed).startswith(doing)
            assert f"role {role} " in failed.remedy
            assert failed.of_service

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (404, "AccountNotFound", Permanent),
            (400, "InvalidInput", Permanent),
            (409, "ContainerBeingDeleted", Transient),
            (503, "ServerBusy", Transient),
            (429, "TooMany", Transient),
        ],
    )
    async def test_a_failed_read_tells_the_code_of_the_service(
        self, storages: Storage, status: int, code: str, kind: type[RotationError]
    ) -> None:
        storages.answer("GET", status, code)
        failed = await failing(storages.store.read("a-1"))
        assert (type(failed), failed.code) == (kind, code)
        assert str(failed) == f"read document a-1: {status} {code}"
        assert failed.of_service
        assert "role" not in failed.advice

    async def test_a_wait_that_the_service_asks_for_is_kept(self, storages: Storage) -> None:
        headers = {CODE: "ServerBusy", "Retry-After": "7"}
        storages.fail("answer", "GET", status=503, headers=headers)
        failed = await failing(storages.store.read("a-1"))
        assert isinstance(failed, Transient)
        assert failed.retry_after == timedelta(seconds=7)

    async def test_a_failure_without_a_code_tells_its_status(self, storages: Storage) -> None:
        storages.answer("GET", 400)
        assert (await failing(storages.store.read("a-1"))).code == "HTTP400"

    async def test_a_dropped_read_is_transient(self, storages: Storage) -> None:
        storages.fail("drop", "GET")
        failed = await failing(storages.store.read("a-1"))
        assert (type(failed), failed.code) == (Transient, "Unreachable")
        assert failed.of_service

    async def test_each_call_is_sent_once(self, storages: Storage) -> None:
        storages.azure.faults.add(Fault("answer", "storage.*", status=503, times=9))
        await failing(storages.store.read("a-1"))
        await failing(storages.queue.put("x"))
        assert len(storages.azure.calls) == 2


class TestQueue:
    async def test_the_first_message_creates_the_queue(self, storages: Storage) -> None:
        await storages.queue.put("hällo")
        (message,) = storages.there.queues.queues["work"]
        assert base64.b64decode(message.text).decode() == "hällo", "as the host expects"
        assert message.visible == storages.azure.clock.now()
        assert message.expires is None, "a message outlives a stopped function"

    async def test_a_message_waits_for_its_delay(self, storages: Storage) -> None:
        await storages.queue.put("x", timedelta(seconds=90))
        (message,) = storages.there.queues.queues["work"]
        assert message.visible == storages.azure.clock.now() + timedelta(seconds=90)

    async def test_a_queue_that_another_worker_creates_in_the_meantime_is_used(
        self, storages: Storage
    ) -> None:
        storages.answer("POST", 404, "QueueNotFound", match="messages*")
        storages.there.queues.queues["work"] = []
        await storages.queue.put("x")
        assert len(storages.there.queues.queues["work"]) == 1

    async def test_another_404_creates_no_queue(self, storages: Storage) -> None:
        storages.answer("POST", 404, "AccountNotFound", match="messages*")
        failed = await failing(storages.queue.put("x"))
        assert (type(failed), failed.code) == (Permanent, "AccountNotFound")
        assert "work" not in storages.there.queues.queues

    async def test_a_lost_answer_is_transient(self, storages: Storage) -> None:
        await storages.queue.put("x")
        storages.fail("drop", "POST", after=True)
        assert type(await failing(storages.queue.put("y"))) is Transient
