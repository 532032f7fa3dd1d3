"""The record of an account: holds, answers of operators, and the search for an operation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotation.domain.ids import AccountId
from rotation.domain.keys import Slot
from rotation.domain.operation import Operation, Purpose
from rotation.domain.record import RECOVERY, Failure, Hold, Record
from rotation.domain.request import Request, RequestKind

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ACCOUNT = AccountId("s", "g", "n")
FAILURE = Failure("Code", "message", "remedy", NOW)


def operation(name: str, *requests: str) -> Operation:
    return Operation(
        id=name,
        purpose=Purpose.ROTATE,
        reason="r",
        requester="alice",
        started_at=NOW,
        phase_since=NOW,
        candidate=Slot.KEY1,
        overlap=HOUR,
        successes_needed=3,
        requests=requests,
    )


def request(name: str, kind: RequestKind = RequestKind.MANUAL) -> Request:
    return Request(name, kind, "r", "alice", NOW)


def test_a_hold_adds_up_its_spells() -> None:
    first = Hold().at(NOW, held=True)
    assert first == Hold(NOW, timedelta())
    assert first.total(NOW + HOUR) == HOUR
    over = first.at(NOW + HOUR, held=False)
    assert over == Hold(None, HOUR)
    assert over.total(NOW + 5 * HOUR) == HOUR
    second = over.at(NOW + 5 * HOUR, held=True)
    assert second == Hold(NOW + 5 * HOUR, HOUR)
    assert second.total(NOW + 7 * HOUR) == 3 * HOUR


@pytest.mark.parametrize("hold", [Hold(), Hold(None, HOUR), Hold(NOW), Hold(NOW, HOUR)])
def test_a_hold_that_goes_on_keeps_its_beginning(hold: Hold) -> None:
    assert hold.at(NOW + HOUR, held=hold.since is not None) is hold


@pytest.mark.parametrize(
    ("began_at", "is_young"),
    [
        (None, False),
        (NOW, True),
        (NOW - RECOVERY + SECOND, True),
        (NOW - RECOVERY, False),
    ],
)
def test_a_record_that_replaces_a_lost_one_is_young_for_48_hours(
    began_at: datetime | None, is_young: bool
) -> None:
    assert Record(ACCOUNT, "salt", began_at=began_at).is_young(NOW) is is_young


@pytest.mark.parametrize("kind", RequestKind)
def test_a_blocked_record_waits_until_an_operator_answers(kind: RequestKind) -> None:
    is_answer = kind in (RequestKind.RESUME, RequestKind.ABANDON, RequestKind.CANCEL)
    waiting = (request("r-0"), request("r-1", kind), request("r-2", kind))
    blocked = Record(ACCOUNT, "salt", blocked=FAILURE, requests=waiting)
    assert blocked.pending_answer == (waiting[1] if is_answer else None)
    assert blocked.is_blocked is (not is_answer)


def test_a_record_without_a_failure_is_not_blocked() -> None:
    assert not Record(ACCOUNT, "salt").is_blocked


def test_an_operation_is_found_by_its_id_or_that_of_a_request_that_it_fulfils() -> None:
    running, former, older = operation("a", "r-1"), operation("b", "r-2"), operation("c", "r-2")
    waiting = (request("r-1"), request("r-2"), request("r-3"))
    record = Record(ACCOUNT, "salt", operation=running, history=(older, former), requests=waiting)
    assert record.find("a") == record.find("r-1") == running
    assert record.find("b") == former
    assert record.find("c") == older
    assert record.find("r-2") == former, "the latest that fulfils it"
    assert record.find("r-3") == waiting[2]
    assert record.find("r-4") is None


def test_an_idle_record_finds_former_operations() -> None:
    former = operation("b")
    assert Record(ACCOUNT, "salt", history=(former,)).find("b") == former
