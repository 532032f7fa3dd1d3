"""Requests in a record: each once, covered by what runs, cancelled before anything is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.domain.access import Caller, Role
from rotation.domain.errors import Permanent
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot
from rotation.domain.operation import AuditEntry, Ending, Operation, Phase, Purpose
from rotation.domain.record import HISTORY, Failure, Record
from rotation.domain.request import Leaked, Request, RequestKind
from rotation.service import idempotency, inbox
from rotation.service.cancelling import cancelled
from rotation.service.requests import AlreadyRunning, RotationRequest
from rotation.service.visit_limit import APART, VisitLimit
from tests.unit.decisions.account import rotation

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ACCOUNT, OTHER = AccountId("s", "g", "n"), AccountId("s", "g", "other")
EMPTY = Record(ACCOUNT, "salt")
ROTATE = RotationRequest("a test", "somebody")
LEAK = replace(ROTATE, leaked=Leaked.KEY1)
CALLER = Caller("ana", frozenset({Role.OPERATE}), "call-1")


def made(request: RotationRequest) -> Request:
    return inbox.from_operator(ACCOUNT, request, NOW)


def test_a_request_keeps_all_that_the_operator_said() -> None:
    target = TargetId("https://kv", "key")
    request = replace(
        LEAK, secret=target, overlap=HOUR, role="Rotation.Emergency", request_id="call-1"
    )
    found = made(request)
    assert found == Request(
        found.id,
        RequestKind.EMERGENCY,
        "a test",
        "somebody",
        NOW,
        Leaked.KEY1,
        overlap=HOUR,
        secret="https://kv/secrets/key",
        role="Rotation.Emergency",
        request_id="call-1",
    )
    plain = made(ROTATE)
    assert (plain.kind, plain.secret, plain.overlap) == (RequestKind.MANUAL, None, None)
    assert plain.idempotency_key is None


def test_the_reason_of_a_drill_says_so_wherever_it_is_shown() -> None:
    assert made(replace(LEAK, drill=True)).reason == "drill: a test"


def test_an_idempotency_key_still_matches_what_earlier_versions_stored() -> None:
    request = replace(
        LEAK,
        secret=TargetId("https://kv", "key"),
        account=ACCOUNT,
        overlap=HOUR,
        idempotency_key="k",
    )
    assert idempotency.stored(request) == "c3e87f1e1b70097c0d117bff55d25a2d.b2281867da69"
    assert idempotency.stored(replace(request, drill=True)) != idempotency.stored(request)


def test_an_answer_keeps_who_gave_it() -> None:
    found = inbox.from_answer(ACCOUNT, RequestKind.RESUME, CALLER, "go on", NOW)
    assert found == Request(
        found.id,
        RequestKind.RESUME,
        "go on",
        "ana",
        NOW,
        role="Rotation.Operate",
        request_id="call-1",
    )


def test_ids_begin_with_the_account_and_are_all_different() -> None:
    assert made(ROTATE).id.startswith(f"{ACCOUNT.slug}-")
    assert made(ROTATE).id != made(ROTATE).id
    assert made(LEAK).id != made(LEAK).id
    keyed = replace(ROTATE, idempotency_key="k")
    assert made(keyed).id != made(keyed).id
    assert inbox.new_batch() != inbox.new_batch()


def test_emergencies_with_the_same_key_have_the_same_id() -> None:
    keyed = replace(LEAK, idempotency_key="k")
    assert made(keyed).id == made(keyed).id
    assert made(keyed).id.startswith(f"{ACCOUNT.slug}-")
    assert made(keyed).id != made(replace(keyed, idempotency_key="other")).id
    assert made(keyed).id != inbox.from_operator(OTHER, keyed, NOW).id


def test_a_request_is_added_once_and_removed_alone() -> None:
    one, two = made(ROTATE), made(ROTATE)
    record = inbox.added(EMPTY, one)
    assert record == replace(EMPTY, requests=(one,))
    assert inbox.added(record, one) is None
    both = inbox.added(record, two)
    assert both is not None
    assert both.requests == (one, two)
    assert inbox.removed(both, one.id).requests == (two,)
    fulfilled = replace(EMPTY, operation=rotation(requests=(one.id,)))
    assert inbox.added(fulfilled, one) is None


@pytest.mark.parametrize(("pending", "is_admitted"), [(19, True), (20, False)])
def test_twenty_requests_may_wait(pending: int, is_admitted: bool) -> None:
    waiting = tuple(Request(f"r-{n}", RequestKind.RESUME, "r", "ana", NOW) for n in range(pending))
    record = replace(EMPTY, requests=waiting)
    if is_admitted:
        found = inbox.admitted(record, made(ROTATE))
        assert found is not None
        assert len(found.requests) == pending + 1
    else:
        with pytest.raises(Permanent, match="20 requests"):
            inbox.admitted(record, made(ROTATE))


FAILURE = Failure("Code", "m", "r", NOW)


@pytest.mark.parametrize(
    ("operation", "request_", "blocked", "is_covered"),
    [
        (rotation(), ROTATE, None, True),
        (rotation(), ROTATE, FAILURE, True),
        (rotation(purpose=Purpose.EMERGENCY, leaked=Leaked.KEY1), ROTATE, None, True),
        (rotation(purpose=Purpose.REPAIR), ROTATE, None, False),
        (rotation(purpose=Purpose.FINISH), ROTATE, None, False),
        (None, ROTATE, None, False),
        (rotation(), LEAK, None, False),
        (rotation(leaked=Leaked.KEY1, overlap=timedelta()), LEAK, None, False),
    ],
)
def test_a_running_rotation_covers_a_manual_request_and_no_emergency(
    operation: Operation | None,
    request_: RotationRequest,
    blocked: Failure | None,
    is_covered: bool,
) -> None:
    record = replace(EMPTY, operation=operation, blocked=blocked)
    assert inbox.find_covering(record, made(request_)) == ("op-1" if is_covered else None)
    if is_covered:
        with pytest.raises(AlreadyRunning):
            inbox.admitted(record, made(request_))


@pytest.mark.parametrize(
    ("leaked", "overlap", "wanted", "blocked", "is_covered"),
    [
        (Leaked.KEY1, timedelta(), None, None, True),
        (Leaked.UNKNOWN, timedelta(), None, None, True),
        (Leaked.KEY2, timedelta(), None, None, False),
        (Leaked.KEY1, SECOND, None, None, False),
        (Leaked.KEY1, HOUR, HOUR, None, True),
        (Leaked.KEY1, HOUR + SECOND, HOUR, None, False),
        (Leaked.KEY1, timedelta(), None, FAILURE, False),
    ],
)
def test_a_running_emergency_covers_one_that_it_satisfies_as_fast(
    leaked: Leaked,
    overlap: timedelta,
    wanted: timedelta | None,
    blocked: Failure | None,
    is_covered: bool,
) -> None:
    operation = rotation(purpose=Purpose.EMERGENCY, leaked=leaked, overlap=overlap)
    record = replace(EMPTY, operation=operation, blocked=blocked)
    found = inbox.find_covering(record, made(replace(LEAK, overlap=wanted)))
    assert found == ("op-1" if is_covered else None)


def test_only_a_request_of_the_same_kind_covers_another() -> None:
    first, leak = made(ROTATE), made(LEAK)
    record = replace(EMPTY, requests=(leak, first))
    assert inbox.find_covering(record, made(ROTATE)) == first.id
    assert inbox.find_covering(replace(EMPTY, requests=(leak,)), made(ROTATE)) is None


KEYED = replace(ROTATE, idempotency_key="k")


def test_only_digests_of_a_key_are_stored() -> None:
    key = idempotency.stored(KEYED)
    assert key is not None
    owner, _, body = key.partition(".")
    assert (len(owner), len(body)) == (32, 12)
    assert idempotency.parts(KEYED) == (owner, body)
    assert idempotency.stored(ROTATE) is None
    assert idempotency.parts(ROTATE) is None
    assert idempotency.batch_of(ROTATE) is None


@pytest.mark.parametrize(
    ("change", "same_owner", "same_body"),
    [
        ({"dry_run": True, "role": "r", "request_id": "x"}, True, True),
        ({"idempotency_key": "other"}, False, True),
        ({"requester": "other"}, False, False),
        ({"reason": "other"}, True, False),
        ({"leaked": Leaked.KEY1}, True, False),
    ],
)
def test_a_key_stands_for_its_caller_and_for_all_that_the_request_asks(
    change: dict[str, Any], same_owner: bool, same_body: bool
) -> None:
    one, two = idempotency.parts(KEYED), idempotency.parts(replace(KEYED, **change))
    assert one is not None
    assert two is not None
    assert (one[0] == two[0], one[1] == two[1]) == (same_owner, same_body)


def test_a_batch_is_named_by_its_key_and_keeps_its_name() -> None:
    name = idempotency.batch_of(KEYED)
    assert name is not None
    assert name == idempotency.batch_of(replace(KEYED, dry_run=True))
    assert name != idempotency.batch_of(replace(KEYED, idempotency_key="other"))
    assert len(name) == len("batch-") + 12
    part = replace(KEYED, batch=name)
    assert idempotency.stored(part) == name
    assert idempotency.parts(part) == idempotency.parts(KEYED)


def test_a_key_is_found_in_requests_and_in_present_and_former_operations() -> None:
    key = idempotency.stored(KEYED)
    assert key is not None
    one = rotation(id="op-1", idempotency_keys=("x", key))
    found = made(KEYED)
    for record in (
        replace(EMPTY, operation=one),
        replace(EMPTY, operation=rotation(id="op-2"), history=(rotation(id="op-3"), one)),
    ):
        assert idempotency.find(record, found) == "op-1"
    waiting = replace(EMPTY, requests=(made(ROTATE), found))
    assert idempotency.find(waiting, made(KEYED)) == found.id
    assert idempotency.find(EMPTY, found) is None
    assert idempotency.find(waiting, made(ROTATE)) is None


def test_a_plain_key_of_an_earlier_version_stands_for_the_same_leak_only() -> None:
    old = replace(made(replace(LEAK, idempotency_key="k")), idempotency_key="k")
    record = replace(EMPTY, requests=(old,))
    same = made(replace(LEAK, idempotency_key="k"))
    assert idempotency.find(record, replace(same, id="x")) == old.id
    other = made(replace(LEAK, idempotency_key="k", leaked=Leaked.KEY2))
    assert idempotency.find(record, other) is None


ANSWER = inbox.from_answer(ACCOUNT, RequestKind.CANCEL, CALLER, "not now", NOW + HOUR)


@pytest.mark.parametrize(
    ("request_", "purpose"),
    [
        (replace(KEYED, overlap=HOUR, role="r", request_id="c"), Purpose.ROTATE),
        (replace(LEAK, role="r", request_id="c"), Purpose.EMERGENCY),
    ],
)
def test_a_request_that_is_cancelled_moves_to_the_history(
    request_: RotationRequest, purpose: Purpose
) -> None:
    waiting, other = made(request_), made(ROTATE)
    found = cancelled(replace(EMPTY, requests=(waiting, other)), waiting.id, ANSWER)
    assert found is not None
    assert found.requests == (other,)
    (done,) = found.history
    note = "cancelled by ana: not now"
    assert done == Operation(
        id=waiting.id,
        purpose=purpose,
        reason="a test",
        requester="somebody",
        started_at=NOW,
        phase_since=NOW,
        candidate=Slot.KEY1,
        overlap=timedelta(),
        successes_needed=0,
        leaked=request_.leaked,
        requests=(waiting.id,),
        idempotency_keys=(waiting.idempotency_key,) if waiting.idempotency_key else (),
        audit=(AuditEntry(NOW + HOUR, f"ended: {note}"),),
        ended_at=NOW + HOUR,
        outcome=note,
        role="r",
        request_id="c",
        asked_at=NOW,
        ending=Ending.CANCELLED,
    )


def test_the_history_keeps_its_newest_operations() -> None:
    old = tuple(rotation(id=f"op-{n}", ended_at=NOW) for n in range(HISTORY))
    waiting = made(ROTATE)
    found = cancelled(replace(EMPTY, requests=(waiting,), history=old), waiting.id, ANSWER)
    assert found is not None
    assert [one.id for one in found.history] == [*(one.id for one in old[1:]), waiting.id]


def test_an_operation_that_changed_nothing_gets_the_answer() -> None:
    record = replace(EMPTY, phase=Phase.VERIFY, operation=rotation())
    found = cancelled(record, "op-1", ANSWER)
    assert found == replace(record, requests=(ANSWER,))


def test_a_cancellation_of_nothing_changes_nothing() -> None:
    done = rotation(ended_at=NOW, outcome="cancelled by ana: x")
    assert cancelled(EMPTY, "op-9", ANSWER) is None
    assert cancelled(replace(EMPTY, history=(done,)), "op-1", ANSWER) is None


@pytest.mark.parametrize(
    "record",
    [
        replace(EMPTY, history=(rotation(ended_at=NOW, outcome="done"),)),
        replace(EMPTY, phase=Phase.REVOKE, operation=rotation()),
    ],
)
def test_it_is_too_late_to_cancel_what_is_done_or_changed_something(record: Record) -> None:
    with pytest.raises(Permanent) as caught:
        cancelled(record, "op-1", ANSWER)
    assert caught.value.code == "TooLate"


def test_messages_cause_one_look_a_minute_and_one_more_later() -> None:
    limit = VisitLimit()
    assert limit.last(ACCOUNT, NOW) is None
    assert limit.defer(ACCOUNT, NOW) is None
    limit.note(ACCOUNT, NOW)
    assert limit.last(ACCOUNT, NOW + APART - SECOND) == NOW
    assert limit.last(OTHER, NOW) is None
    assert limit.defer(ACCOUNT, NOW + 20 * SECOND) == 40 * SECOND
    assert limit.defer(ACCOUNT, NOW + 20 * SECOND) is None
    assert limit.last(ACCOUNT, NOW + 30 * SECOND) == NOW
    assert limit.last(ACCOUNT, NOW + APART) is None
    limit.note(ACCOUNT, NOW + APART)
    assert limit.defer(ACCOUNT, NOW + APART) == APART
