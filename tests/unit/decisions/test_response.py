"""The phases of an emergency until its successor is proven."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import response
from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.facts import Facts
from rotation.domain.keys import Slot
from rotation.domain.operation import Intent, Phase, PublishedVersion
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.record import Failure

from .account import (
    ACCEPTED,
    INCONCLUSIVE,
    KEYS,
    NOW,
    REFUSED,
    document,
    name,
    operation,
    phase,
    responding,
    verdicts,
)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
KEY2 = KEYS.key2.fingerprint("salt")


def intended(slot: Slot = Slot.KEY2, before: str = KEY2) -> Intent:
    return Intent("i", slot, before, NOW - MINUTE)


def test_a_block_by_an_earlier_version_holds_nothing() -> None:
    cause = Failure("code", "message", "remedy", NOW)
    action = response.decide(responding(Phase.VERIFY, blocked=cause))
    assert action.record.blocked is None


class TestRegenerate:
    def regenerate(self, *leaked: Any, spare: ProbeVerdict = REFUSED, **more: Any) -> Action:
        f = responding(Phase.REGENERATE, **more)
        f = replace(f, emergencies=(document(*leaked),))
        return response.decide(verdicts(f, (KEYS.key2, spare)))

    def test_a_spare_that_is_refused_is_regenerated(self) -> None:
        action = self.regenerate()
        assert (action.kind, action.slot) == (ActionKind.SEND, Slot.KEY2)

    @pytest.mark.parametrize("spare", [ACCEPTED, INCONCLUSIVE])
    def test_one_that_is_not_refused_is_not(self, spare: ProbeVerdict) -> None:
        assert phase(self.regenerate(spare=spare)) is Phase.VERIFY

    def test_it_is_probed_first(self) -> None:
        action = response.decide(replace(responding(Phase.REGENERATE), verdicts={}))
        assert (action.kind, action.missing.probe) == (ActionKind.ASK, (KEYS.key2,))

    def test_it_is_regenerated_once_because_it_is_refused(self) -> None:
        again = self.regenerate(op={"regenerated_at": NOW - MINUTE})
        assert phase(again) is Phase.VERIFY
        assert again.record.intent is None

    def test_one_that_leaked_is_regenerated_though_it_works(self) -> None:
        action = self.regenerate(KEYS.key2, spare=ACCEPTED, op={"regenerated_at": NOW - HOUR})
        assert (action.kind, action.slot) == (ActionKind.SEND, Slot.KEY2)

    def test_so_is_one_of_an_emergency_that_has_no_document(self) -> None:
        f = replace(responding(Phase.REGENERATE), emergencies=())
        assert response.decide(f).kind is ActionKind.SEND

    def test_one_that_was_sent_is_followed_up(self) -> None:
        found = self.regenerate(intent=intended(before="former"))
        assert (phase(found), found.record.intent) == (Phase.VERIFY, None)
        again = self.regenerate(spare=ACCEPTED, intent=intended())
        assert again.kind is ActionKind.SEND

    def test_one_of_the_other_slot_does_not_count(self) -> None:
        action = self.regenerate(spare=ACCEPTED, intent=intended(Slot.KEY1, "former"))
        assert action.kind is ActionKind.MOVE

    def test_no_guard_holds_it(self) -> None:
        often = tuple(NOW - number * MINUTE for number in range(9))
        assert self.regenerate(regenerated=often).kind is ActionKind.SEND


class TestVerify:
    def verify(self, answer: ProbeVerdict = ACCEPTED, **more: Any) -> Action:
        return response.decide(verdicts(self.facts(**more), (KEYS.key2, answer)))

    def facts(self, **more: Any) -> Facts:
        return responding(Phase.VERIFY, **more)

    def test_a_new_value_is_verified_from_the_start(self) -> None:
        action = self.verify(op={"value": "another", "unproven": True, "successes": 2})
        assert (action.kind, phase(action)) == (ActionKind.MOVE, Phase.VERIFY)
        found = operation(action)
        assert (found.value, found.unproven, found.successes) == (KEY2, False, 0)

    @pytest.mark.parametrize(
        ("value", "said"), [(None, "trying Key2 as it is"), ("another", "Key2 has a new value")]
    )
    def test_the_audit_trail_calls_only_a_changed_value_new(
        self, value: str | None, said: str
    ) -> None:
        assert self.verify(op={"value": value}).reason == said

    def test_a_quarantine_is_waited_out(self) -> None:
        action = self.verify(quarantine={Slot.KEY2: NOW + MINUTE})
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + MINUTE)
        assert action.remedy
        assert phase(self.verify(quarantine={Slot.KEY1: NOW + MINUTE})) is Phase.VERIFY

    def test_the_successor_is_probed(self) -> None:
        action = response.decide(replace(self.facts(), verdicts={}))
        assert (action.kind, action.missing.probe) == (ActionKind.ASK, (KEYS.key2,))

    def test_each_success_is_counted(self) -> None:
        action = self.verify(op={"successes": 1, "first_success": NOW - HOUR, "tries": 3})
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 15 * SECOND)
        found = operation(action)
        assert (found.successes, found.first_success, found.tries) == (2, NOW - HOUR, 0)
        assert operation(self.verify()).first_success == NOW

    def test_the_last_leads_to_the_publish(self) -> None:
        puts = {name(): PublishedVersion("v1", NOW)}
        action = self.verify(op={"successes": 2, "puts": puts})
        assert phase(action) is Phase.PUBLISH
        found = operation(action)
        assert (found.expires, found.puts) == (NOW + timedelta(days=90), {})
        assert not found.unproven

    def test_one_may_be_enough(self) -> None:
        assert phase(self.verify(op={"successes_needed": 1})) is Phase.PUBLISH


class TestRefused:
    def refused(self, *, op: Any = None, **more: Any) -> Action:
        f = responding(Phase.VERIFY, op={"regenerated_at": NOW - HOUR, **(op or {})}, **more)
        return response.decide(verdicts(f, (KEYS.key2, REFUSED)))

    def test_it_is_never_published_and_counted_from_the_start(self) -> None:
        action = self.refused(op={"successes": 2, "first_success": NOW})
        assert (action.kind, phase(action)) == (ActionKind.WAIT, Phase.VERIFY)
        assert (operation(action).successes, operation(action).first_success) == (0, None)
        assert "Key2" in action.reason
        assert action.remedy

    @pytest.mark.parametrize(
        ("ago", "again"), [(10 * MINUTE - SECOND, 5 * SECOND), (10 * MINUTE, MINUTE)]
    )
    def test_a_new_one_is_looked_at_more_often(self, ago: timedelta, again: timedelta) -> None:
        assert self.refused(op={"phase_since": NOW - ago}).not_before == NOW + again

    def test_one_that_was_in_quarantine_is_new_after_that(self) -> None:
        for ended, again in [(MINUTE, 5 * SECOND), (11 * MINUTE, MINUTE)]:
            action = self.refused(quarantine={Slot.KEY2: NOW - ended})
            assert action.not_before == NOW + again
        young = self.refused(quarantine={Slot.KEY2: NOW - HOUR}, op={"phase_since": NOW - MINUTE})
        assert young.not_before == NOW + 5 * SECOND

    def test_one_that_it_neither_made_nor_published_is_regenerated_after_a_while(self) -> None:
        theirs = {"regenerated_at": None}
        for ago, entered in [
            (10 * MINUTE - SECOND, Phase.VERIFY),
            (10 * MINUTE, Phase.REGENERATE),
        ]:
            action = self.refused(op={**theirs, "phase_since": NOW - ago})
            assert phase(action) is entered
        put = {name(): PublishedVersion("v2", NOW - HOUR)}
        assert phase(self.refused(op={**theirs, "puts": put})) is Phase.VERIFY

    def test_a_person_may_go_on_without_it(self) -> None:
        f = verdicts(responding(Phase.VERIFY), (KEYS.key2, REFUSED))
        action = response.decide(replace(f, emergencies=(document(forced=True),)))
        assert phase(action) is Phase.REVOKE
        assert operation(action).without_successor


class TestInconclusive:
    def unclear(self, ago: timedelta, verdict: ProbeVerdict = INCONCLUSIVE, **doc: Any) -> Action:
        f = responding(Phase.VERIFY, op={"phase_since": NOW - ago, "successes": 1})
        f = replace(f, emergencies=(document(**doc),))
        return response.decide(verdicts(f, (KEYS.key2, verdict)))

    def test_it_waits_for_an_answer(self) -> None:
        action = self.unclear(5 * MINUTE - SECOND)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)
        assert operation(action).successes == 0
        assert "no network" in action.reason
        assert action.remedy

    def test_then_it_publishes_as_not_proven(self) -> None:
        action = self.unclear(5 * MINUTE)
        assert phase(action) is Phase.PUBLISH
        assert operation(action).unproven
        assert operation(action).expires == NOW + timedelta(days=90)

    def test_at_once_if_a_person_wants_it_now(self) -> None:
        assert operation(self.unclear(MINUTE, impatient=True)).unproven

    def test_a_random_key_that_is_not_refused_is_the_reason(self) -> None:
        control = ProbeVerdict(ProbeResult.INCONCLUSIVE, "of control")
        f = responding(Phase.VERIFY, op={"phase_since": NOW})
        assert "of control" in response.decide(replace(f, control=control)).reason
