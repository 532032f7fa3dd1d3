"""Leases of blobs: what each state of a lease allows ("Lease Blob", the tables of outcomes)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from azure.storage.blob import BlobClient, BlobLeaseClient

from emulator.azure import Azure

from .conftest import refused

OTHER = str(uuid.uuid4())


@pytest.fixture
def lease(blob: BlobClient) -> BlobLeaseClient:
    blob.upload_blob(b"")
    return blob.acquire_lease(15)


def uses(blob: BlobClient) -> dict[str, Callable[..., object]]:
    """Return the calls for which a lease's id may be given."""
    return {
        "write": partial(blob.upload_blob, b"x", overwrite=True),
        "describe": partial(blob.set_blob_metadata, {"a": "b"}),
        "read": blob.download_blob,
        "inspect": blob.get_blob_properties,
        "delete": blob.delete_blob,
    }


def end(azure: Azure, lease: BlobLeaseClient, how: str) -> None:
    if how == "expired":
        azure.advance(timedelta(seconds=16))
    elif how == "broken":
        lease.break_lease(0)
    else:
        lease.release()


@pytest.mark.parametrize("use", ["write", "describe", "read", "inspect", "delete"])
class TestUse:
    """An id proves a lease: with one, a call fails unless that lease is held."""

    def test_another_id_than_the_holders_is_refused(
        self, blob: BlobClient, lease: BlobLeaseClient, use: str
    ) -> None:
        refusal = refused(lambda: uses(blob)[use](lease=OTHER))
        assert refusal[0] == 412
        assert use == "inspect" or refusal[1] == "LeaseIdMismatchWithBlobOperation"
        uses(blob)[use](lease=lease)

    @pytest.mark.parametrize(
        ("how", "code"),
        [
            ("expired", "LeaseLost"),
            ("broken", "LeaseNotPresentWithBlobOperation"),
            ("released", "LeaseNotPresentWithBlobOperation"),
        ],
    )
    def test_the_id_of_a_lease_that_has_ended_is_refused(
        self, azure: Azure, blob: BlobClient, lease: BlobLeaseClient, use: str, how: str, code: str
    ) -> None:
        held = lease.id
        end(azure, lease, how)
        refusal = refused(lambda: uses(blob)[use](lease=held))
        assert refusal[0] == 412
        assert use == "inspect" or refusal[1] == code
        uses(blob)[use]()


def test_only_writes_need_the_id_of_a_held_lease(blob: BlobClient, lease: BlobLeaseClient) -> None:
    for use, call in uses(blob).items():
        if use in ("read", "inspect"):
            call()
        else:
            assert refused(call) == (412, "LeaseIdMissing")


@pytest.mark.parametrize("how", ["expired", "broken"])
def test_a_write_ends_an_expired_or_broken_lease_for_good(
    azure: Azure, blob: BlobClient, lease: BlobLeaseClient, how: str
) -> None:
    end(azure, lease, how)
    assert blob.get_blob_properties().lease.state == how
    blob.upload_blob(b"x", overwrite=True)
    assert blob.get_blob_properties().lease.state == "available"
    assert refused(lease.renew) == (409, "LeaseIdMismatchWithLeaseOperation")


def test_an_expired_lease_is_renewed_while_nobody_has_written(
    azure: Azure, blob: BlobClient, lease: BlobLeaseClient
) -> None:
    azure.advance(timedelta(seconds=16))
    lease.renew()
    assert blob.get_blob_properties().lease.state == "leased"


class TestBreaking:
    def test_a_break_ends_a_lease_after_its_period_or_its_rest(
        self, azure: Azure, blob: BlobClient, lease: BlobLeaseClient
    ) -> None:
        assert lease.break_lease(60) == 15
        assert blob.get_blob_properties().lease.state == "breaking"
        assert refused(lease.renew) == (409, "LeaseIsBrokenAndCannotBeRenewed")
        change = partial(lease.change, str(uuid.uuid4()))
        assert refused(change) == (409, "LeaseIsBreakingAndCannotBeChanged")
        acquire = partial(blob.acquire_lease, 15, lease_id=lease.id)
        assert refused(acquire) == (409, "LeaseIsBreakingAndCannotBeAcquired")
        azure.advance(timedelta(seconds=15))
        assert blob.get_blob_properties().lease.state == "broken"

    def test_a_second_break_may_shorten_the_first_and_never_lengthens_it(
        self, lease: BlobLeaseClient
    ) -> None:
        assert [lease.break_lease(seconds) for seconds in (10, 60, 5, None)] == [10, 10, 5, 5]

    def test_a_broken_lease_stays_broken(self, blob: BlobClient, lease: BlobLeaseClient) -> None:
        assert [lease.break_lease(seconds) for seconds in (0, None, 20)] == [0, 0, 0]
        assert blob.get_blob_properties().lease.state == "broken"
        change = partial(lease.change, str(uuid.uuid4()))
        assert refused(change) == (409, "LeaseNotPresentWithLeaseOperation")

    def test_an_infinite_lease_breaks_at_once_unless_a_period_is_given(
        self, blob: BlobClient
    ) -> None:
        blob.upload_blob(b"")
        assert blob.acquire_lease(-1).break_lease() == 0
        assert blob.acquire_lease(-1).break_lease(30) == 30


@pytest.mark.parametrize(("seconds", "duration"), [(15, "fixed"), (-1, "infinite")])
def test_properties_show_a_lease_and_how_long_it_is(
    blob: BlobClient, seconds: int, duration: str
) -> None:
    blob.upload_blob(b"")
    assert blob.get_blob_properties().lease.duration is None
    blob.acquire_lease(seconds)
    shown = blob.get_blob_properties().lease
    assert (shown.state, shown.status, shown.duration) == ("leased", "locked", duration)


def test_the_id_of_a_lease_is_a_guid(blob: BlobClient) -> None:
    blob.upload_blob(b"")
    assert refused(lambda: blob.acquire_lease(15, lease_id="mine")) == (400, "InvalidHeaderValue")
    lease = blob.acquire_lease(15)
    assert refused(lambda: lease.change("mine")) == (400, "InvalidHeaderValue")
