"""Blobs and queues for the real SDK clients: rights, conditions, leases, and messages."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.storage.blob import BlobClient
from azure.storage.queue import QueueClient

from emulator.azure import Azure
from emulator.core.identity import Principal
from emulator.core.wire import Headers, Request
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.blob_store import BlobStore
from rotation.adapters.storage import services
from rotation.adapters.storage_queue import StorageQueue
from rotation.domain.errors import Conflict, Permanent
from rotation.settings.storage import StorageSettings

from .conftest import ALL, BLOBS, QUEUES, Clients, refused


class TestRights:
    """Data-plane roles decide; the owner of the account has no right to data by that."""

    @pytest.mark.parametrize("roles", [(), ("Owner",), ("Storage Queue Data Contributor",)])
    def test_without_a_role_for_blobs_nothing_is_read(self, clients: Clients, roles: Any) -> None:
        found = clients(*roles)[0].get_blob_client("journal", "a")
        assert refused(found.download_blob) == (403, "AuthorizationPermissionMismatch")

    def test_a_reader_of_blobs_cannot_write(self, clients: Clients, blob: BlobClient) -> None:
        blob.upload_blob(b"x")
        reader = clients("Storage Blob Data Reader")[0].get_blob_client("journal", "a")
        assert reader.download_blob().readall() == b"x"
        assert refused(partial(reader.upload_blob, b"y", overwrite=True)) == (
            403,
            "AuthorizationPermissionMismatch",
        )

    def test_a_sender_sends_and_a_processor_receives(
        self, clients: Clients, queue: QueueClient
    ) -> None:
        sender = clients("Storage Queue Data Message Sender")[1].get_queue_client("work")
        processor = clients("Storage Queue Data Message Processor")[1].get_queue_client("work")
        sender.send_message("x")
        assert refused(lambda: list(sender.receive_messages()))[0] == 403
        assert refused(lambda: processor.send_message("y"))[0] == 403
        (message,) = processor.receive_messages()
        processor.delete_message(message)

    def test_an_owner_of_the_account_without_a_data_role_may_create_only(
        self, clients: Clients
    ) -> None:
        owner = clients("Owner")[1].get_queue_client("work")
        owner.create_queue()
        assert refused(lambda: owner.send_message("x"))[1] == "AuthorizationPermissionMismatch"


class TestSignIn:
    @pytest.mark.parametrize(
        ("authorization", "expected"),
        [
            ("", (401, "NoAuthenticationInformation")),
            ("Bearer forged", (401, "InvalidAuthenticationInfo")),
            ("SharedKey stdemo:abc=", (403, "KeyBasedAuthenticationNotPermitted")),
        ],
    )
    def test_without_a_token_the_request_is_refused(
        self, azure: Azure, account: str, authorization: str, expected: tuple[int, str]
    ) -> None:
        headers = Headers({"Authorization": authorization, "x-ms-client-request-id": "me"})
        response = azure.handle(Request("GET", f"{BLOBS}/journal/a", headers))
        assert (response.status, response.headers["x-ms-error-code"]) == expected
        assert f"<Code>{expected[1]}</Code>" in response.body.decode()
        assert response.headers["Content-Type"] == "application/xml"
        assert response.headers["x-ms-client-request-id"] == "me"
        if expected[0] == 401:
            assert "resource_id=https://storage.azure.com" in response.headers["WWW-Authenticate"]

    def test_a_token_for_another_service_is_refused(self, azure: Azure, account: str) -> None:
        token = azure.identity.issue(azure.identity.principals[0], "https://vault.azure.net")
        headers = Headers({"Authorization": f"Bearer {token}"})
        response = azure.handle(Request("GET", f"{QUEUES}/work/messages", headers))
        assert response.status == 401

    def test_another_account_does_not_exist(self, azure: Azure) -> None:
        assert not azure.knows("https://stother.blob.core.windows.net/")


class TestContainers:
    def test_a_container_exists_from_its_creation_to_its_deletion(
        self, clients: Clients, blob: BlobClient
    ) -> None:
        service, _ = clients("Storage Blob Data Contributor")
        blob.upload_blob(b"x")
        journal, other = (service.get_container_client(name) for name in ("journal", "other"))
        assert (journal.exists(), other.exists()) == (True, False)
        assert refused(other.get_container_properties) == (404, "ContainerNotFound")
        assert [c.name for c in service.list_containers()] == ["journal"]
        assert journal.get_container_properties().etag
        journal.delete_container()
        assert refused(blob.download_blob) == (404, "ContainerNotFound")
        journal.create_container()
        assert refused(blob.download_blob) == (404, "BlobNotFound")

    def test_a_delimiter_folds_names_into_prefixes(
        self, clients: Clients, blob: BlobClient
    ) -> None:
        journal = clients(*ALL)[0].get_container_client("journal")
        for name in ("a", "d/", "d/1", "d/2", "d/e/3", "f/<4>"):
            journal.upload_blob(name, b"")
        assert [found.name for found in journal.walk_blobs()] == ["d/", "f/", "a"]
        assert [found.name for found in journal.walk_blobs("d/")] == ["d/e/", "d/", "d/1", "d/2"]
        pages = journal.list_blobs(results_per_page=2).by_page()
        assert [[found.name for found in page] for page in pages] == [
            ["a", "d/"],
            ["d/1", "d/2"],
            ["d/e/3", "f/<4>"],
        ]

    def test_listed_blobs_show_their_lease(self, clients: Clients, blob: BlobClient) -> None:
        blob.upload_blob(b"")
        blob.acquire_lease(15)
        (shown,) = clients(*ALL)[0].get_container_client("journal").list_blobs()
        assert (shown.lease.state, shown.lease.status, shown.lease.duration) == (
            "leased",
            "locked",
            "fixed",
        )
        assert shown.creation_time == shown.last_modified

    def test_a_reader_deletes_no_container(self, clients: Clients, blob: BlobClient) -> None:
        reader = clients("Storage Blob Data Reader")[0].get_container_client("journal")
        assert reader.exists()
        assert refused(reader.delete_container)[1] == "AuthorizationPermissionMismatch"


class TestBlobs:
    def test_conditions_make_writes_atomic(self, blob: BlobClient) -> None:
        etag = blob.upload_blob(b"1")["etag"]
        assert refused(lambda: blob.upload_blob(b"2")) == (409, "BlobAlreadyExists")
        match: Any = {"overwrite": True, "match_condition": MatchConditions.IfNotModified}
        blob.upload_blob(b"2", etag=etag, **match)
        assert refused(lambda: blob.upload_blob(b"3", etag=etag, **match))[1] == "ConditionNotMet"
        assert blob.download_blob().readall() == b"2"

    def test_a_read_with_a_known_etag_is_not_modified(self, blob: BlobClient) -> None:
        etag = blob.upload_blob(b"1")["etag"]
        known: Any = {"etag": etag, "match_condition": MatchConditions.IfModified}
        for read in (blob.download_blob, blob.get_blob_properties):
            assert refused(partial(read, **known))[0] == 304
        stale: Any = {"etag": '"0x1"', "match_condition": MatchConditions.IfNotModified}
        for call in (blob.download_blob, blob.delete_blob, partial(blob.acquire_lease, 15)):
            assert refused(partial(call, **stale)) == (412, "ConditionNotMet")
        write = partial(blob.upload_blob, b"2", overwrite=True)
        assert refused(partial(write, **known)) == (412, "ConditionNotMet")

    def test_a_write_to_an_existing_blob_fails_without_one(self, blob: BlobClient) -> None:
        present: Any = {"overwrite": True, "match_condition": MatchConditions.IfPresent}
        assert refused(partial(blob.upload_blob, b"1", **present)) == (412, "ConditionNotMet")

    def test_an_overwritten_blob_keeps_its_creation_time(
        self, azure: Azure, blob: BlobClient
    ) -> None:
        blob.upload_blob(b"1")
        azure.advance(timedelta(seconds=5))
        blob.upload_blob(b"2", overwrite=True)
        shown = blob.get_blob_properties()
        assert shown.last_modified - shown.creation_time == timedelta(seconds=5)

    def test_what_does_not_exist_is_404(self, clients: Clients, blob: BlobClient) -> None:
        assert refused(blob.download_blob) == (404, "BlobNotFound")
        other = clients(*ALL)[0].get_blob_client("nothing", "a")
        assert refused(lambda: other.upload_blob(b"")) == (404, "ContainerNotFound")

    def test_a_leased_blob_is_written_with_its_lease_only(
        self, azure: Azure, blob: BlobClient
    ) -> None:
        blob.upload_blob(b"")
        lease = blob.acquire_lease(15)
        assert refused(lambda: blob.acquire_lease(15)) == (409, "LeaseAlreadyPresent")
        write = partial(blob.upload_blob, b"x", overwrite=True)
        assert refused(write) == (412, "LeaseIdMissing")
        write(lease=lease)
        azure.advance(timedelta(seconds=16))
        lease.renew()
        lease.break_lease(0)
        assert refused(lease.renew) == (409, "LeaseIsBrokenAndCannotBeRenewed")

    @pytest.mark.parametrize("seconds", [1, 14, 61])
    def test_a_lease_lasts_15_to_60_seconds(self, blob: BlobClient, seconds: int) -> None:
        blob.upload_blob(b"")
        assert refused(lambda: blob.acquire_lease(seconds)) == (400, "InvalidHeaderValue")


class TestQueues:
    def test_a_received_message_is_hidden_until_its_timeout(
        self, azure: Azure, queue: QueueClient
    ) -> None:
        queue.send_message("x", visibility_timeout=60)
        assert list(queue.receive_messages()) == []
        azure.advance(timedelta(seconds=61))
        (first,) = queue.receive_messages(visibility_timeout=30)
        assert list(queue.receive_messages()) == []
        azure.advance(timedelta(seconds=31))
        (second,) = queue.receive_messages()
        assert (first.dequeue_count, second.dequeue_count) == (1, 2)
        assert refused(lambda: queue.delete_message(first)) == (400, "PopReceiptMismatch")
        queue.delete_message(second)
        assert refused(lambda: queue.delete_message(second)) == (404, "MessageNotFound")

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"visibility_timeout": 604801, "time_to_live": -1}, "OutOfRangeQueryParameterValue"),
            ({"visibility_timeout": 60, "time_to_live": 60}, "InvalidQueryParameterValue"),
        ],
    )
    def test_limits(self, queue: QueueClient, options: Any, expected: str) -> None:
        assert refused(lambda: queue.send_message("x", **options)) == (400, expected)

    def test_a_message_has_at_most_64_kib(self, queue: QueueClient) -> None:
        queue.send_message("x" * 65536)
        assert refused(lambda: queue.send_message("x" * 65537)) == (413, "RequestBodyTooLarge")

    def test_queues_are_listed(self, clients: Clients, queue: QueueClient) -> None:
        reader = clients("Storage Queue Data Reader")[1]
        assert [found.name for found in reader.list_queues(name_starts_with="w")] == ["work"]
        assert not list(reader.list_queues(name_starts_with="x"))

    def test_an_expired_message_is_gone(self, azure: Azure, queue: QueueClient) -> None:
        queue.send_message("x", time_to_live=60)
        azure.advance(timedelta(seconds=61))
        assert queue.get_queue_properties().approximate_message_count == 0


@pytest.fixture
def stores(azure: Azure, account: str) -> tuple[Principal, BlobStore, StorageQueue]:
    """The service's own store and queue, for a principal without roles."""
    principal = azure.add_principal("service")
    settings = StorageSettings("identity", BLOBS, QUEUES)
    credential: Any = AsyncCredential(azure, principal)
    blobs, queues = services(
        settings, credential, {"transport": AsyncEmulatorTransport(azure), "retry_total": 0}
    )
    return principal, BlobStore(blobs, "journal"), StorageQueue(queues, "work")


def test_blobs_are_listed_in_pages_with_their_metadata_on_request(clients: Clients) -> None:
    container = clients(*ALL)[0].get_container_client("journal")
    container.create_container()
    for number in range(5):
        container.upload_blob(f"accounts/{number}", b"", metadata={"index": f"<{number}>"})
    container.upload_blob("leases/1", b"")
    listed = container.list_blobs("accounts/", include=["metadata"], results_per_page=2)
    pages = [list(page) for page in listed.by_page()]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [blob.metadata for page in pages for blob in page] == [
        {"index": f"<{number}>"} for number in range(5)
    ]
    assert not any(blob.metadata for blob in container.list_blobs())
    assert len(list(container.list_blobs(results_per_page=9999))) == 6
    assert refused(lambda: list(container.list_blobs(results_per_page=0)))[0] == 400


def test_metadata_has_a_limit(blob: BlobClient) -> None:
    blob.upload_blob(b"", metadata={"index": "x" * (8192 - len("index"))})
    too_much = {"index": "x" * (8193 - len("index"))}
    assert refused(lambda: blob.upload_blob(b"", overwrite=True, metadata=too_much)) == (
        400,
        "MetadataTooLarge",
    )


async def test_the_service_s_store_and_queue_work_with_their_roles(
    azure: Azure, account: str, stores: tuple[Principal, BlobStore, StorageQueue]
) -> None:
    principal, store, queue = stores
    for role in ALL:
        principal.assign(role, account)
    etag = await store.write("a-1", b"", None)
    assert (await store.read("a-1")) is not None
    with pytest.raises(Conflict):
        await store.write("a-1", b"{}", None)
    await store.write("a-1", b"{}", etag)
    assert [name async for name, _ in store.stamps()] == ["a-1"]
    assert [entry.name async for entry in store.entries()] == ["a-1"]
    async with store.lease("a-1", timedelta(seconds=15)) as held:
        assert held
    await queue.put("hello")
    assert len(azure.storage.accounts["stdemo"].queues.queues["work"]) == 1


async def test_without_its_role_the_service_names_it(
    stores: tuple[Principal, BlobStore, StorageQueue], tmp_path: Path
) -> None:
    _, store, queue = stores
    with pytest.raises(Permanent) as caught:
        await store.read("a-1")
    assert "Storage Blob Data Contributor" in caught.value.remedy
    with pytest.raises(Permanent) as listing:
        [entry async for entry in store.entries()]
    assert "Storage Blob Data Contributor" in listing.value.remedy
    with pytest.raises(Permanent) as refusal:
        await queue.put("hello")
    assert "Storage Queue Data Contributor" in refusal.value.remedy
