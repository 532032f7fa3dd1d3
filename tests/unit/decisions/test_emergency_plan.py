"""The plan of an emergency follows from the slots that still show a leaked value."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.emergency import decide
from rotation.decisions.facts import Facts
from rotation.domain.emergency import Emergency
from rotation.domain.errors import Permanent, Transient
from rotation.domain.keys import Slot
from rotation.domain.operation import Attempt, Intent, Phase, PublishedVersion, Purpose
from rotation.domain.request import Leaked, Request, RequestKind
from rotation.domain.targets import Enrolment

from .account import (
    ACCOUNT,
    INCONCLUSIVE,
    KEYS,
    NOW,
    OLD,
    REFUSED,
    document,
    emergency,
    facts,
    name,
    operation,
    phase,
    responding,
    rotation,
    running,
    seen,
    target,
    verdicts,
)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
KEY1, KEY2 = (key.fingerprint("salt") for key in (KEYS.key1, KEYS.key2))
BOTH = document(KEYS.key1, KEYS.key2, leaked=Leaked.UNKNOWN)
SETTLED = NOW + 10 * MINUTE


def reported(*found: Emergency, **record: Any) -> Facts:
    """Return an idle account with a report of a leak, and its document."""
    f = facts(**{"requests": (emergency(),), **record})
    return replace(f, emergencies=found or (document(),))


def rotating(in_phase: Phase, *found: Emergency, request: Any = None, **more: Any) -> Facts:
    """Return a rotation to Key2 that runs when Key1 is reported as leaked."""
    shown = (target("a", KEYS.key2), target("b", KEYS.key2))
    record = {key: more.pop(key) for key in ("intent", "quarantine") if key in more}
    asked = request or emergency()
    f = running(in_phase, rotation(**more), *shown, requests=(asked,), **record)
    return replace(f, emergencies=found or (document(),))


def plan(f: Facts) -> tuple[Phase, Slot, Slot | None]:
    action = decide(f)
    found = operation(action)
    return phase(action), found.candidate, found.revoke


class TestNothingToDo:
    def test_without_a_report(self) -> None:
        assert decide(facts()) is None
        other = Request("m-1", RequestKind.MANUAL, "please", "bo", NOW)
        assert decide(facts(requests=(other,))) is None
        assert decide(running(Phase.REVOKE, rotation())) is None

    def test_before_a_person_has_confirmed_it(self) -> None:
        assert decide(reported(document(begun_at=None))) is None

    @pytest.mark.parametrize("at", [Phase.PUBLISH, Phase.VERIFY, Phase.OVERLAP, Phase.REVOKE])
    def test_while_the_running_one_is_about_to_revoke_the_leaked_key(self, at: Phase) -> None:
        assert decide(responding(at)) is None

    def test_while_it_regenerates_the_successor_that_leaked_too(self) -> None:
        f = replace(responding(Phase.REGENERATE), emergencies=(BOTH,))
        assert decide(f) is None
        assert decide(replace(f, record=replace(f.record, phase=Phase.VERIFY))) is not None

    def test_while_arm_may_list_the_revoked_key_for_a_moment(self) -> None:
        young = {"phase_since": NOW - MINUTE + SECOND}
        assert decide(responding(Phase.PROVE, op=young)) is None
        old = decide(responding(Phase.PROVE, op={"phase_since": NOW - MINUTE}))
        assert phase(old) is not Phase.PROVE

    def test_that_moment_is_for_the_key_that_was_revoked(self) -> None:
        f = responding(Phase.PROVE, op={"phase_since": NOW})
        assert decide(replace(f, emergencies=(BOTH,))) is not None
        without = responding(Phase.PROVE, op={"phase_since": NOW, "revoke": None})
        assert decide(without) is not None

    def test_a_running_one_whose_plan_is_outdated_is_planned_again(self) -> None:
        assert decide(responding(Phase.VERIFY, op={"retired": "another"})) is not None
        assert decide(responding(Phase.VERIFY, op={"revoke": None})) is not None
        assert decide(responding(Phase.CLEAN)) is not None


class TestBlind:
    """No secret can be read: in bulk, that is the fault of the service."""

    def blind(self, *found: Emergency, is_blind: bool = True) -> Action:
        action = decide(replace(reported(*found), is_blind=is_blind))
        assert action is not None
        return action

    def test_a_batch_waits_for_a_person(self) -> None:
        action = self.blind(document(bulk=True))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + MINUTE)
        assert action.remedy

    @pytest.mark.parametrize(
        "found",
        [
            (document(bulk=False),),
            (document(bulk=True, blind=True),),
            (document(bulk=True), document(id="e-2", bulk=False)),
        ],
    )
    def test_a_single_account_and_a_confirmed_batch_go_on(self, found: Any) -> None:
        assert self.blind(*found).kind is ActionKind.MOVE

    def test_so_does_a_batch_that_can_read_secrets(self) -> None:
        assert self.blind(document(bulk=True), is_blind=False).kind is ActionKind.MOVE


class TestLateListing:
    def listed(self, ago: timedelta = SECOND, before: str = KEY1, **more: Any) -> Action:
        members = {"answered": True} | more
        intent = Intent("i", Slot.KEY1, before, NOW - ago, **members)
        action = decide(rotating(Phase.OVERLAP, intent=intent))
        assert action is not None
        return action

    def test_a_key_that_was_just_regenerated_is_read_again(self) -> None:
        for ago in (SECOND, MINUTE - SECOND):
            action = self.listed(ago)
            assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)
            assert action.remedy

    @pytest.mark.parametrize("more", [{"ago": MINUTE}, {"answered": False}, {"before": "another"}])
    def test_otherwise_it_is_planned(self, more: Any) -> None:
        action = self.listed(**more)
        assert action.kind is ActionKind.MOVE
        assert action.record.intent is None

    def test_a_regenerate_without_an_answer_leaves_its_quarantine(self) -> None:
        assert self.listed(answered=False).record.quarantine == {Slot.KEY1: SETTLED}


class TestJoin:
    """An operation that is about to revoke the leaked key is only made faster."""

    def join(self, at: Phase = Phase.REVOKE, **more: Any) -> Action:
        action = decide(rotating(at, **more))
        assert action is not None
        return action

    def test_a_revocation_of_that_key_is_joined(self) -> None:
        action = self.join()
        assert (action.kind, phase(action)) == (ActionKind.MOVE, Phase.REVOKE)
        found = operation(action)
        assert (found.id, found.started_at) == ("op-1", NOW - HOUR)
        assert found.audit[-1].at == NOW

    @pytest.mark.parametrize("at", [Phase.REGENERATE, Phase.VERIFY, Phase.PUBLISH, Phase.OVERLAP])
    def test_an_earlier_phase_is_planned_again(self, at: Phase) -> None:
        action = self.join(at)
        assert phase(action) is Phase.REVOKE
        assert "begins" not in operation(action).audit[0].what

    @pytest.mark.parametrize(
        ("before", "now", "leaked"),
        [
            (Leaked.NONE, Leaked.KEY1, Leaked.KEY1),
            (Leaked.KEY1, Leaked.KEY1, Leaked.KEY1),
            (Leaked.KEY2, Leaked.KEY1, Leaked.UNKNOWN),
            (Leaked.KEY1, Leaked.UNKNOWN, Leaked.UNKNOWN),
        ],
    )
    def test_both_reports_count(self, before: Leaked, now: Leaked, leaked: Leaked) -> None:
        action = self.join(leaked=before, request=emergency(now))
        assert operation(action).leaked is leaked

    def test_a_request_without_an_idempotency_key_adds_none(self) -> None:
        assert operation(self.join(idempotency_keys=("k",))).idempotency_keys == ("k",)

    def test_only_the_joined_request_is_done(self) -> None:
        f = rotating(Phase.REVOKE)
        other = Request("m-1", RequestKind.MANUAL, "please", "bo", NOW)
        record = replace(f.record, requests=(other, *f.record.requests))
        action = decide(replace(f, record=record))
        assert action is not None
        assert action.record.requests == (other,)

    def test_a_key_that_was_just_proven_is_joined_too(self) -> None:
        action = self.join(Phase.PROVE, phase_since=NOW)
        assert phase(action) is Phase.PROVE
        assert operation(action).purpose is Purpose.EMERGENCY


class TestChoice:
    def test_the_leaked_key_is_revoked_and_the_other_one_published(self) -> None:
        assert plan(reported()) == (Phase.VERIFY, Slot.KEY2, Slot.KEY1)
        found = operation(decide(reported()))
        assert (found.retired, found.purpose) == (KEY1, Purpose.EMERGENCY)

    def test_what_no_secret_publishes_is_revoked_at_once(self) -> None:
        f = reported(document(KEYS.key2))
        assert plan(f) == (Phase.REVOKE, Slot.KEY1, Slot.KEY2)
        assert operation(decide(f)).value == KEY1

    @pytest.mark.parametrize(
        ("shown", "successor"),
        [
            ((KEYS.key1, KEYS.key1), Slot.KEY2),
            ((KEYS.key2, KEYS.key2), Slot.KEY1),
            ((KEYS.key1, KEYS.key2), Slot.KEY2),
        ],
    )
    def test_if_both_leaked_the_one_that_fewer_secrets_publish_is_regenerated_first(
        self, shown: Any, successor: Slot
    ) -> None:
        f = replace(
            facts(target("a", shown[0]), target("b", shown[1]), requests=(emergency(),)),
            emergencies=(BOTH,),
        )
        assert plan(f) == (Phase.REGENERATE, successor, successor.other)

    def test_if_nobody_knows_what_is_published_our_last_publish_tells(self) -> None:
        """A closed vault hides the secrets, and the record was restored with another salt."""
        hidden = target("a", None, readable=False)
        put = {name("a"): PublishedVersion("v2", NOW - MINUTE)}
        idle = replace(facts(hidden, seen={}, requests=(emergency(),)), emergencies=(BOTH,))
        rotation_ = rotation(puts=put)
        under_way = replace(idle.record, operation=rotation_, phase=Phase.OVERLAP)
        before = replace(idle.record, history=(rotation_, rotation()))
        assert plan(idle)[1] is Slot.KEY2
        assert plan(replace(idle, record=under_way))[1] is Slot.KEY1
        assert plan(replace(idle, record=before))[1] is Slot.KEY1

    @pytest.mark.parametrize(("shown", "successor"), [(KEY1, Slot.KEY2), (KEY2, Slot.KEY1)])
    def test_so_does_the_value_that_was_published_last(self, shown: str, successor: Slot) -> None:
        """The operation that published it was planned again, and forgot what it had put."""
        hidden = target("a", None, readable=False)
        f = facts(hidden, seen={}, requests=(emergency(),), published=shown)
        assert plan(replace(f, emergencies=(BOTH,)))[1] is successor

    @pytest.mark.parametrize(
        ("claims", "successor"),
        [
            ((Slot.KEY2,), Slot.KEY1),
            ((Slot.KEY1, None), Slot.KEY2),
            ((Slot.KEY2, Slot.KEY1), Slot.KEY2),
        ],
    )
    def test_without_any_record_the_tags_of_disabled_secrets_tell(
        self, claims: Any, successor: Slot
    ) -> None:
        hidden = [
            target(n, None, enrolment=Enrolment(ACCOUNT, claimed=slot))
            for n, slot in zip("ab", claims, strict=False)
        ]
        f = facts(*hidden, seen={}, requests=(emergency(),))
        assert plan(replace(f, emergencies=(BOTH,)))[1] is successor

    @pytest.mark.parametrize(
        ("error", "known", "begun", "more", "waits"),
        [
            (Transient("busy"), False, 5 * MINUTE - SECOND, {}, True),
            (Transient("busy"), False, 5 * MINUTE, {}, False),
            (Transient("busy"), False, MINUTE, {"impatient": True}, False),
            (Transient("busy"), True, MINUTE, {}, False),
            (Permanent("closed", code="Forbidden", remedy="open it"), False, MINUTE, {}, False),
        ],
    )
    def test_a_secret_that_may_soon_be_read_is_waited_for_if_nothing_tells_what_it_shows(
        self, error: Any, known: bool, begun: timedelta, more: Any, waits: bool
    ) -> None:
        """The record was lost, so that the published key might be regenerated first."""
        hidden = target("a", None, readable=False)
        remembered = {name("a"): seen()} if known else {}
        f = facts(hidden, seen=remembered, requests=(emergency(),))
        both = replace(BOTH, begun_at=NOW - begun, **more)
        action = decide(replace(f, emergencies=(both,), read_errors={hidden.id: error}))
        assert action is not None
        assert (action.kind is ActionKind.WAIT) is waits
        assert not waits or (action.not_before == NOW + 5 * SECOND and "--now" in action.remedy)

    def test_if_only_one_leaked_it_is_not(self) -> None:
        hidden = target("a", None, readable=False)
        f = replace(reported(), targets=(hidden,), read_errors={hidden.id: Transient("busy")})
        assert phase(decide(f)) is Phase.REVOKE

    def test_if_no_slot_shows_it_the_proof_is_left(self) -> None:
        f = reported(document(OLD))
        assert plan(f) == (Phase.PROVE, Slot.KEY1, None)
        found = operation(decide(f))
        assert (found.value, found.successes_needed) == (KEY1, 1)

    @pytest.mark.parametrize(
        ("shown", "kept"),
        [
            ((KEYS.key2, KEYS.key2), Slot.KEY2),
            ((KEYS.key1, KEYS.key2), Slot.KEY1),
            ((KEYS.key2, KEYS.key2, KEYS.key1), Slot.KEY2),
        ],
    )
    def test_then_the_key_that_most_secrets_publish_stays(self, shown: Any, kept: Slot) -> None:
        secrets = [target(n, value) for n, value in zip("abc", shown, strict=False)]
        f = facts(*secrets, requests=(emergency(),))
        f = replace(f, emergencies=(document(OLD),))
        assert operation(decide(f)).candidate is kept

    def test_a_successor_that_works_needs_one_probe(self) -> None:
        assert operation(decide(reported())).successes_needed == 1

    def test_an_unclear_one_is_not_regenerated(self) -> None:
        assert plan(verdicts(reported(), (KEYS.key2, INCONCLUSIVE)))[0] is Phase.VERIFY

    @pytest.mark.parametrize(
        ("more", "is_new"),
        [
            ({"regenerated_at": NOW - 10 * MINUTE + SECOND}, True),
            ({"regenerated_at": NOW - 10 * MINUTE}, False),
            ({}, False),
            ({"quarantine": {Slot.KEY2: NOW + SECOND}}, True),
            ({"quarantine": {Slot.KEY1: NOW + SECOND}}, False),
            ({"regenerated_at": NOW, "candidate": Slot.KEY1}, False),
        ],
    )
    def test_a_refused_one_is_regenerated_unless_it_is_new(self, more: Any, is_new: bool) -> None:
        f = rotating(Phase.VERIFY, **more)
        f = replace(f, targets=(target("a"), target("b")))
        action = decide(verdicts(f, (KEYS.key2, REFUSED)))
        assert phase(action) is (Phase.VERIFY if is_new else Phase.REGENERATE)
        assert operation(action).successes_needed == (1 if is_new else 2)

    @pytest.mark.parametrize(
        ("value", "age", "begun", "is_new"),
        [
            (KEYS.key2, 10 * MINUTE - SECOND, 20 * MINUTE - SECOND, True),
            (KEYS.key2, 10 * MINUTE, MINUTE, False),
            (KEYS.key2, MINUTE, 20 * MINUTE, False),
            (KEYS.key1, MINUTE, MINUTE, False),
        ],
    )
    def test_one_that_somebody_published_just_now_is_new_too(
        self, value: Any, age: timedelta, begun: timedelta, is_new: bool
    ) -> None:
        """Rewriting it again and again holds nothing up."""
        shown = (target("a", value, created=NOW - age), target("b"))
        f = replace(
            facts(*shown, requests=(emergency(),)),
            emergencies=(document(begun_at=NOW - begun),),
        )
        found = plan(verdicts(f, (KEYS.key2, REFUSED)))[0]
        assert found is (Phase.VERIFY if is_new else Phase.REGENERATE)

    def test_without_an_operation_it_is_not_known_to_be_new(self) -> None:
        assert plan(verdicts(reported(), (KEYS.key2, REFUSED)))[0] is Phase.REGENERATE


BEFORE: dict[str, Any] = {
    "regenerated_at": NOW - HOUR,
    "attempts": {name(): Attempt(NOW, NOW, "Throttled")},
    "requests": ("m-1", "e-1"),
    "idempotency_keys": ("k-1",),
    "began_in": Phase.REGENERATE,
    "successes": 2,
}


class TestTakenOver:
    """A running operation keeps its identity when an emergency takes it over."""

    def taken(self, **more: Any) -> Any:
        asked = emergency(idempotency_key="k-2", overlap=HOUR, role="r", request_id="q")
        f = rotating(Phase.OVERLAP, request=asked, **{**BEFORE, **more})
        return operation(decide(f))

    def test_it_keeps_its_history(self) -> None:
        found = self.taken()
        assert (found.id, found.started_at, found.phase_since) == ("op-1", NOW - HOUR, NOW)
        assert (found.began_in, found.regenerated_at) == (Phase.REGENERATE, NOW - HOUR)
        assert found.attempts == BEFORE["attempts"]
        assert found.requests == ("m-1", "e-1")
        assert found.idempotency_keys == ("k-1", "k-2")
        assert [entry.at for entry in found.audit] == [NOW, NOW]

    def test_the_person_who_reported_and_the_time_are_those_of_the_emergency(self) -> None:
        found = self.taken()
        assert (found.requester, found.reason, found.role) == ("ana", "leaked", "r")
        assert (found.asked_at, found.request_id, found.overlap) == (NOW, "q", HOUR)
        assert (found.purpose, found.leaked) == (Purpose.EMERGENCY, Leaked.KEY1)

    def test_an_unknown_request_is_added(self) -> None:
        assert self.taken(requests=("m-1",)).requests == ("m-1", "e-1")

    def test_attempts_to_publish_the_other_key_do_not_count(self) -> None:
        assert self.taken(candidate=Slot.KEY1, revoke=Slot.KEY2).attempts == {}

    def test_a_new_one_begins_without_overlap(self) -> None:
        found = operation(decide(reported()))
        assert (found.id, found.started_at, found.overlap) == ("e-1", NOW, timedelta())

    def test_all_reports_count(self) -> None:
        other = document(KEYS.key1, id="e-2", leaked=Leaked.KEY2)
        assert operation(decide(reported(document(), other))).leaked is Leaked.UNKNOWN


class TestPlannedAgain:
    def test_it_is_still_the_same_emergency(self) -> None:
        members = {
            "retired": "another",
            "reason": "lost laptop",
            "role": "r",
            "request_id": "q",
            "overlap": HOUR,
            "asked_at": NOW - 2 * HOUR,
        }
        f = responding(Phase.PUBLISH, op=members)
        found = operation(decide(f))
        assert (found.id, found.requester, found.reason) == ("e-1", "ana", "lost laptop")
        assert (found.role, found.request_id, found.overlap) == ("r", "q", HOUR)
        assert (found.asked_at, found.leaked) == (NOW - 2 * HOUR, Leaked.KEY1)
        assert found.requests == ("e-1",)

    def test_without_the_time_of_the_report_it_is_that_of_the_begin(self) -> None:
        found = operation(decide(responding(Phase.PUBLISH, op={"retired": "another"})))
        assert found.asked_at == NOW - HOUR

    def test_a_successor_that_leaked_too_is_regenerated(self) -> None:
        f = replace(responding(Phase.PUBLISH), emergencies=(BOTH,))
        assert plan(f) == (Phase.REGENERATE, Slot.KEY2, Slot.KEY1)

    def test_a_second_report_joins_it(self) -> None:
        second = emergency(overlap=timedelta())
        f = responding(Phase.PUBLISH, requests=(replace(second, id="e-2"),))
        f = replace(f, emergencies=(document(), document(id="e-2")))
        found = operation(decide(f))
        assert (found.requests, found.id) == (("e-2",), "e-1")


class TestSeveral:
    def test_the_first_report_comes_first(self) -> None:
        asked = emergency(), replace(emergency(), id="e-2")
        both = document(), document(id="e-2")
        assert operation(decide(reported(*both, requests=asked))).id == "e-1"
        f = rotating(Phase.REVOKE, *both)
        joined = decide(replace(f, record=replace(f.record, requests=asked)))
        assert operation(joined).requests == ("e-1",)

    def test_a_leak_that_is_reported_again_counts_with_the_first(self) -> None:
        f = responding(Phase.PUBLISH, op={"retired": "another"})
        f = replace(f, emergencies=(document(leaked=Leaked.KEY2),))
        assert operation(decide(f)).leaked is Leaked.UNKNOWN

    def test_a_leaked_key_that_is_shown_again_while_cleaning_is_revoked(self) -> None:
        assert decide(responding(Phase.CLEAN, op={"phase_since": NOW})) is not None

    def test_enabled_secrets_decide_which_key_stays(self) -> None:
        known = {
            name(n): seen(key) for n, key in zip("abc", (KEYS.key1, *[KEYS.key2] * 2), strict=True)
        }
        shown = target("a"), target("b", None), target("c", None)
        f = replace(
            facts(*shown, requests=(emergency(),), seen=known), emergencies=(document(OLD),)
        )
        assert operation(decide(f)).candidate is Slot.KEY1
