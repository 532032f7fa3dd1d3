"""The operations and requests of an account; the documents of emergencies decide about those."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rotation.domain.emergency import Emergency, Verdict
from rotation.domain.operation import Operation, Phase, Purpose
from rotation.domain.record import Record
from rotation.domain.request import Request, RequestKind
from rotation.service.views import rotations

from .shown import NOW, REQUEST, emergency, operation, record

LEAK = replace(REQUEST, id="e-1", kind=RequestKind.EMERGENCY, idempotency_key="k-1")
REVOKING = operation("e-1", purpose=Purpose.EMERGENCY, requests=("e-2",), idempotency_keys=("k",))
OVER = emergency(verdict=Verdict.REFUSED, closed_at=NOW)


def found(shown: Record | None, *documents: Emergency) -> list[tuple[str, object, object]]:
    """Return the id, the reason and what is known of the revocation of each rotation."""
    replies = [one.reply for one in rotations.of_account(shown, documents)]
    return [(reply.id, reply.reason, reply.revoked) for reply in replies]


def test_requests_come_first_then_the_running_operation_then_the_history() -> None:
    answer = replace(REQUEST, id="r-2", kind=RequestKind.RESUME)
    shown = record(
        requests=(answer, REQUEST),
        operation=operation("now"),
        phase=Phase.VERIFY,
        history=(operation("old", ended_at=NOW),),
    )
    assert [name for name, *_ in found(shown)] == ["r-1", "now", "old"]


def test_without_a_record_the_documents_tell_of_the_emergencies() -> None:
    assert found(None, emergency(), replace(OVER, id="e-2")) == [
        ("e-1", "a leak", None),
        ("e-2", "a leak", True),
    ]


def test_an_operation_tells_of_all_emergencies_that_it_stands_for() -> None:
    shown = record(operation=REVOKING, phase=Phase.REVOKE)
    held = emergency("e-2", why="held", remedy="do it")
    assert found(shown, emergency(), held) == [("e-1", "due", False)]


@pytest.mark.parametrize("document", [OVER, replace(OVER, verdict=Verdict.CANCELLED)])
def test_a_document_that_is_closed_replaces_a_request_that_came_back(document: Emergency) -> None:
    ((name, reason, _),) = found(record(requests=(LEAK,)), document)
    assert (name, reason) == ("e-1", "a leak")


def test_a_document_that_is_open_replaces_an_operation_that_is_over() -> None:
    shown = record(history=(replace(REVOKING, ended_at=NOW),))
    assert found(shown, emergency()) == [("e-1", "a leak", None)]
    assert found(shown, OVER) == [("e-1", "due", True)]


def test_an_open_one_that_joined_an_operation_that_is_over_is_shown_beside_it() -> None:
    shown = record(history=(replace(REVOKING, ended_at=NOW),))
    assert [name for name, *_ in found(shown, OVER, emergency("e-2"))] == ["e-1", "e-2"]


@pytest.mark.parametrize(
    ("one", "ids"),
    [
        (REQUEST, ("r-1",)),
        (REVOKING, ("e-1", "e-2")),
        (replace(REVOKING, requests=("e-1", "e-2")), ("e-1", "e-2")),
        (operation(requests=("r-1",)), ("op-1",)),
    ],
)
def test_an_emergency_has_a_document_under_each_of_its_ids(
    one: Operation | Request, ids: tuple[str, ...]
) -> None:
    assert rotations.ids_of(one) == ids


def test_each_has_its_idempotency_keys() -> None:
    shown = record(requests=(REQUEST, LEAK), operation=REVOKING, phase=Phase.REVOKE)
    documents = [emergency("e-8"), emergency("e-9", idempotency_key="k-9")]
    keys = {one.reply.id: one.keys for one in rotations.of_account(shown, documents)}
    assert keys == {"r-1": (), "e-1": ("k",), "e-8": (), "e-9": ("k-9",)}
