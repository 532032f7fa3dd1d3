"""The reply about an operation or a request: what it is, how far it is, and what it waits for."""

from __future__ import annotations

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from rotation.domain.operation import AuditEntry, Ending, Phase, Purpose
from rotation.domain.record import Failure
from rotation.domain.request import Leaked, RequestKind
from rotation.service.replies.rotation import (
    AuditEntryReply,
    RotationReply,
    RotationState,
    TroubleReply,
)
from rotation.service.views import operation as view

from .shown import ACCOUNT, DAY, FAILURE, HOUR, NOW, REQUEST, operation, record, running

TROUBLE = TroubleReply(code="Forbidden", message="not allowed", remedy="grant the role", since=NOW)
DONE = operation(
    purpose=Purpose.EMERGENCY,
    role="Rotation.Emergency",
    request_id="call-2",
    leaked=Leaked.KEY1,
    overlap_until=NOW + HOUR,
    ended_at=NOW + DAY,
    outcome="done",
    proof="the old key is refused",
    audit=(AuditEntry(NOW - DAY, "emergency begins in publish: a leak"),),
)


def test_an_operation_that_is_over_tells_everything_about_it() -> None:
    waiting = record(waiting="x", last_failure=FAILURE, phase=Phase.VERIFY)
    assert view.build(waiting, DONE) == RotationReply(
        id="op-1",
        account=str(ACCOUNT),
        state=RotationState.ENDED,
        purpose=Purpose.EMERGENCY,
        phase="idle",
        reason="due",
        requester="schedule",
        role="Rotation.Emergency",
        request_id="call-2",
        leaked=Leaked.KEY1,
        began_in="publish",
        started_at=NOW - DAY,
        overlap_until=NOW + HOUR,
        ended_at=NOW + DAY,
        outcome="done",
        proof="the old key is refused",
        proven=True,
        audit=(AuditEntryReply(at=NOW - DAY, what="emergency begins in publish: a leak"),),
    )


def test_a_running_one_tells_its_phase_and_what_it_waits_for() -> None:
    shown = running(Phase.OVERLAP, waiting="the overlap", waiting_until=NOW, last_failure=FAILURE)
    found = view.build(shown, operation())
    assert (found.state, found.phase) == (RotationState.RUNNING, "overlap")
    assert (found.waiting_for, found.waiting_until, found.trouble) == ("the overlap", NOW, TROUBLE)
    missing = (found.role, found.request_id, found.overlap_until, found.ended_at)
    assert {*missing, found.outcome, found.proof, found.proven} == {UNSET}
    bare = view.build(running(Phase.OVERLAP), operation())
    assert (bare.waiting_for, bare.waiting_until, bare.trouble) == (UNSET, UNSET, UNSET)


def test_a_block_is_shown_before_a_failure() -> None:
    other = Failure("Other", "m", "r", NOW)
    found = view.build(running(Phase.VERIFY, blocked=FAILURE, last_failure=other), operation())
    assert (found.state, found.trouble) == (RotationState.BLOCKED, TROUBLE)


def test_once_a_person_has_answered_it_waits_for_that_answer() -> None:
    answer = replace(REQUEST, kind=RequestKind.ABANDON)
    shown = running(Phase.VERIFY, blocked=FAILURE, requests=(answer,), waiting="x")
    found = view.build(shown, operation())
    assert (found.state, found.trouble) == (RotationState.RUNNING, UNSET)
    assert (found.waiting_for, found.waiting_until) == ("abandon, requested by ana", UNSET)


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        (Ending.CANCELLED, RotationState.CANCELLED),
        (Ending.ABANDONED, RotationState.ENDED),
        (Ending.DONE, RotationState.ENDED),
    ],
)
def test_an_end_is_a_cancellation_or_not(ending: Ending, state: RotationState) -> None:
    assert view.build(record(), operation(ended_at=NOW, ending=ending)).state is state


def test_a_request_waits_until_it_becomes_an_operation() -> None:
    shown = record(requests=(REQUEST,), waiting="the lead", waiting_until=NOW, blocked=FAILURE)
    assert view.build(shown, replace(REQUEST, leaked=Leaked.KEY2)) == RotationReply(
        id="r-1",
        account=str(ACCOUNT),
        state=RotationState.BLOCKED,
        phase="idle",
        reason="please",
        requester="ana",
        role="Rotation.Operate",
        request_id="call-1",
        leaked=Leaked.KEY2,
        requested_at=NOW,
        waiting_for="the lead",
        waiting_until=NOW,
        trouble=TROUBLE,
    )
    assert view.build(record(), REQUEST).state is RotationState.WAITING
