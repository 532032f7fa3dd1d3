"""Requests as they enter an account's record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from rotation.domain.errors import Permanent
from rotation.domain.ids import AccountId
from rotation.domain.record import Record
from rotation.domain.request import Leaked
from rotation.service import idempotency, inbox
from rotation.service.requests import AlreadyRunning, RotationRequest

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ACCOUNT = AccountId("s", "g", "n")
EMPTY = Record(ACCOUNT, "salt")
ROTATE = RotationRequest("a test", "somebody")


def admit(record: Record, request: RotationRequest) -> Record:
    """Return the record with the request, or the same record."""
    return inbox.admitted(record, inbox.from_operator(ACCOUNT, request, NOW)) or record


def test_a_repeat_with_the_same_idempotency_key_is_not_recorded_again() -> None:
    keyed = replace(ROTATE, idempotency_key="k")
    record = admit(EMPTY, keyed)
    assert admit(record, keyed) == record
    again = inbox.from_operator(ACCOUNT, keyed, NOW)
    assert idempotency.find(record, again) == record.requests[0].id


def test_the_same_key_of_another_caller_is_another_key() -> None:
    record = admit(EMPTY, replace(ROTATE, idempotency_key="k"))
    other = replace(ROTATE, idempotency_key="k", requester="mallory")
    assert idempotency.find(record, inbox.from_operator(ACCOUNT, other, NOW)) is None


def test_the_same_key_with_another_body_is_refused_but_not_in_an_emergency() -> None:
    record = admit(EMPTY, replace(ROTATE, idempotency_key="k"))
    other = replace(ROTATE, idempotency_key="k", reason="something else")
    with pytest.raises(Permanent) as refused:
        admit(record, other)
    assert refused.value.code == "IdempotencyKeyReused"
    leak = inbox.from_operator(ACCOUNT, replace(other, leaked=Leaked.KEY1), NOW)
    assert idempotency.find(record, leak) is None


def test_a_dry_run_does_not_change_what_a_key_stands_for() -> None:
    keyed = replace(ROTATE, idempotency_key="k")
    assert idempotency.stored(keyed) == idempotency.stored(replace(keyed, dry_run=True))


def test_a_key_that_an_earlier_version_stored_still_matches() -> None:
    record = admit(EMPTY, replace(ROTATE, idempotency_key="k"))
    old = replace(record, requests=(replace(record.requests[0], idempotency_key="k"),))
    again = inbox.from_operator(ACCOUNT, replace(ROTATE, idempotency_key="k"), NOW)
    assert idempotency.find(old, again) == old.requests[0].id


def test_a_pending_request_covers_another_of_the_same_kind() -> None:
    record = admit(EMPTY, ROTATE)
    with pytest.raises(AlreadyRunning) as refused:
        admit(record, ROTATE)
    assert refused.value.operation_id == record.requests[0].id


@pytest.mark.parametrize(
    ("pending", "new", "covered"),
    [
        (Leaked.UNKNOWN, Leaked.KEY1, True),
        (Leaked.KEY1, Leaked.KEY1, True),
        (Leaked.KEY1, Leaked.KEY2, False),
        (Leaked.KEY1, Leaked.UNKNOWN, False),
        (Leaked.NONE, Leaked.KEY1, False),
    ],
)
def test_a_pending_emergency_covers_one_that_revokes_no_other_key(
    pending: Leaked, new: Leaked, covered: bool
) -> None:
    record = admit(EMPTY, replace(ROTATE, leaked=pending))
    request = inbox.from_operator(ACCOUNT, replace(ROTATE, leaked=new), NOW)
    assert bool(inbox.find_covering(record, request)) is covered


def test_too_many_pending_requests_are_refused() -> None:
    record = EMPTY
    for number in range(20):
        request = inbox.from_operator(ACCOUNT, ROTATE, NOW + timedelta(seconds=number))
        record = inbox.added(record, request) or record
    with pytest.raises(Permanent) as refused:
        admit(record, replace(ROTATE, leaked=Leaked.KEY1))
    assert refused.value.code == "TooManyRequests"
