"""Scheduled work stops for a person if somebody else regenerates the account's keys too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rotation.decisions import contest
from rotation.decisions.actions import ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain.keys import Slot
from rotation.domain.operation import Ending, Intent, Phase, Purpose
from rotation.domain.record import Failure
from rotation.domain.targets import Target

from .account import KEYS, NOW, operation, phase, rotation, running, target

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
THRICE = (NOW - 3 * DAY, NOW - 2 * DAY, NOW - DAY)
STOPPED = Failure("foreign-changes", "somebody else changed the keys", "find out who", NOW)
OTHER = Failure("no-effect", "the key is unchanged", "check the log", NOW)
SENDING = (Phase.REGENERATE, Phase.REVOKE)


def contested(at: Phase = Phase.REGENERATE, *targets: Target, op: Any = None, **more: Any) -> Facts:
    """Return an account whose keys others changed three times."""
    published = at in (Phase.OVERLAP, Phase.REVOKE, Phase.PROVE, Phase.CLEAN)
    shown = targets or (target("a", KEYS.key2 if published else KEYS.key1),)
    members = {"foreign_changes": THRICE} | more
    return running(at, rotation(**(op or {})), *shown, **members)


@pytest.mark.parametrize("at", SENDING)
def test_before_a_regenerate_it_stops_until_a_person_resumes_it(at: Phase) -> None:
    action = decide(contested(at))
    assert (action.kind, phase(action)) == (ActionKind.BLOCKED, at)
    cause = action.record.blocked
    assert cause is not None
    assert (cause.code, cause.since) == ("foreign-changes", NOW)
    assert "3 times within 7 days" in cause.message
    assert "resume" in cause.remedy


@pytest.mark.parametrize("at", [p for p in Phase if p not in (*SENDING, Phase.IDLE)])
def test_other_steps_go_on(at: Phase) -> None:
    assert contest.hold(contested(at)) is None
    assert contest.hold(contested(at, blocked=STOPPED)) is None


@pytest.mark.parametrize("at", SENDING)
@pytest.mark.parametrize("purpose", Purpose)
def test_repairs_and_emergencies_go_on(at: Phase, purpose: Purpose) -> None:
    stops = purpose in (Purpose.ROTATE, Purpose.FINISH)
    assert (contest.hold(contested(at, op={"purpose": purpose})) is not None) is stops


@pytest.mark.parametrize(
    ("changes", "stops"),
    [
        (THRICE, True),
        (THRICE[1:], False),
        ((NOW - 7 * DAY + SECOND, *THRICE[1:]), True),
        ((NOW - 7 * DAY, *THRICE[1:]), False),
    ],
)
def test_three_changes_within_seven_days_are_too_many(changes: Any, stops: bool) -> None:
    assert (contest.hold(contested(foreign_changes=changes)) is not None) is stops


def test_it_stays_stopped_although_the_changes_are_long_ago() -> None:
    action = contest.hold(contested(foreign_changes=(), blocked=STOPPED))
    assert action is not None
    assert (action.kind, action.record.blocked) == (ActionKind.BLOCKED, STOPPED)
    assert action.reason == "somebody else changed the keys; find out who"


def test_one_that_is_stopped_for_another_reason_keeps_it() -> None:
    assert contest.hold(contested(blocked=OTHER)) is None
    assert decide(contested(blocked=OTHER)).record.blocked == OTHER


def test_the_outcome_of_our_own_regenerate_is_looked_at_first() -> None:
    intent = Intent("i-1", Slot.KEY2, KEYS.key2.fingerprint("salt"), NOW)
    assert contest.hold(contested(intent=intent)) is None
    assert contest.hold(contested(intent=intent, blocked=STOPPED)) is not None


class TestConsumers:
    """Consumers without a working key are helped although the rotation is stopped."""

    @pytest.mark.parametrize("cause", [None, STOPPED])
    def test_a_secret_that_somebody_changed_before_the_revocation_is_published_again(
        self, cause: Failure | None
    ) -> None:
        shown = target("a", KEYS.key2), target("b", KEYS.key1)
        found = contest.hold(contested(Phase.REVOKE, *shown, blocked=cause))
        assert phase(found) is Phase.PUBLISH
        assert found is not None
        assert found.record.blocked is None

    @pytest.mark.parametrize("cause", [None, STOPPED])
    def test_a_rotation_ends_if_a_secret_does_not_show_the_key_that_stays(
        self, cause: Failure | None
    ) -> None:
        shown = target("a", KEYS.key1), target("b", KEYS.key2)
        found = contest.hold(contested(Phase.REGENERATE, *shown, blocked=cause))
        assert found is not None
        assert (found.record.phase, found.record.operation) == (Phase.IDLE, None)
        assert found.record.history[-1].ending is Ending.OVERTAKEN
        assert found.record.blocked is None

    def test_but_not_because_of_one_that_cannot_be_read(self) -> None:
        hidden = target("b", None, version="v9")
        found = contest.hold(contested(Phase.REGENERATE, target("a"), hidden))
        assert found is not None
        assert found.kind is ActionKind.BLOCKED
        assert operation(found).id == "op-1"
