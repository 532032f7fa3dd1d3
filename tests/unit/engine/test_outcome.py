"""The outcome of a step is taken from its action and the stored record."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import Action, ActionKind
from rotation.domain.operation import Phase
from rotation.domain.record import Failure, Notification, Nudge, Record
from rotation.engine import outcome
from tests.unit.decisions.account import ACCOUNT, NOW, rotation

FAILURE = Failure("Code", "m", "r", NOW)
LATER = NOW + timedelta(hours=1)


def test_an_idle_account_has_no_operation_and_no_failure() -> None:
    found = outcome.of_action(
        Action(ActionKind.IDLE, "fine", Record(ACCOUNT, "s")), Record(ACCOUNT, "s")
    )
    assert found == outcome.Outcome(ACCOUNT, ActionKind.IDLE, "fine", has_notifications=False)
    assert not found.failed
    assert outcome.fields(found) == {
        "account": str(ACCOUNT),
        "operation": None,
        "phase": "idle",
        "action": "idle",
        "reason": "fine",
        "until": None,
        "code": None,
    }


@pytest.mark.parametrize("new_wait", [True, False])
def test_the_stored_record_contains_the_rest(new_wait: bool) -> None:
    stored = Record(
        ACCOUNT,
        "s",
        phase=Phase.OVERLAP,
        operation=rotation(),
        blocked=FAILURE,
        outbox=(Notification("n", "x", NOW, {}),),
    )
    action = Action(ActionKind.BLOCKED, "why", Record(ACCOUNT, "s"), LATER)
    found = outcome.of_action(action, stored, new_wait=new_wait)
    assert found == outcome.Outcome(
        ACCOUNT,
        ActionKind.BLOCKED,
        "why",
        LATER,
        Phase.OVERLAP,
        "op-1",
        FAILURE,
        new_wait=new_wait,
        has_notifications=True,
    )
    assert found.failed
    assert outcome.fields(found) == {
        "account": str(ACCOUNT),
        "operation": "op-1",
        "phase": "overlap",
        "action": "blocked",
        "reason": "why",
        "until": LATER.isoformat(),
        "code": "Code",
    }


@pytest.mark.parametrize(("at", "has_nudges"), [(NOW, True), (None, False)])
def test_consumers_are_asked_as_long_as_one_has_a_next_attempt(
    at: datetime | None, has_nudges: bool
) -> None:
    stored = Record(ACCOUNT, "s", nudges={"app": Nudge(("v",), at)})
    action = Action(ActionKind.IDLE, "fine", stored)
    assert outcome.of_action(action, stored).has_nudges is has_nudges


def test_an_account_that_was_only_looked_at_rests_as_stored() -> None:
    stored = Record(ACCOUNT, "s", waiting="why", waiting_until=LATER)
    usual = outcome.Outcome(ACCOUNT, ActionKind.IDLE, "why", LATER, has_notifications=False)
    assert outcome.of_rest(stored) == usual
    busy = replace(stored, phase=Phase.OVERLAP, operation=rotation())
    assert outcome.of_rest(busy) == replace(
        usual, kind=ActionKind.WAIT, phase=Phase.OVERLAP, operation="op-1"
    )
