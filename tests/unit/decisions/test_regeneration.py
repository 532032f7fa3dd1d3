"""A regenerate is recorded before it is sent, sent once, and reconciled afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import Action, ActionKind, wait
from rotation.decisions.facts import Facts
from rotation.decisions.lifecycle import confirmed, without_intent
from rotation.decisions.regeneration import send
from rotation.domain.keys import Slot
from rotation.domain.operation import Intent, Phase

from .account import KEYS, NOW, operation, phase, responding, rotation, running

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
BEFORE = KEYS.key2.fingerprint("salt")
SETTLED = NOW + 10 * MINUTE  # a quarantine that begins now


def intended(slot: Slot = Slot.KEY2, before: str = BEFORE, **more: Any) -> Intent:
    return Intent("i", slot, before, NOW - MINUTE, **more)


def sent(f: Facts, slot: Slot = Slot.KEY2) -> Action:
    return send(f, slot, Phase.VERIFY, lambda _f, _slot: None)


def regenerating(**record: Any) -> Facts:
    return running(Phase.REGENERATE, rotation(value="old", successes=2, tries=4), **record)


@pytest.mark.parametrize(("slot", "key"), [(Slot.KEY1, KEYS.key1), (Slot.KEY2, KEYS.key2)])
def test_the_intent_holds_the_slot_and_its_present_value(slot: Slot, key: Any) -> None:
    action = sent(regenerating(), slot)
    assert (action.kind, action.slot, phase(action)) == (ActionKind.SEND, slot, Phase.REGENERATE)
    intent = action.record.intent
    assert intent is not None
    assert (intent.slot, intent.before) == (slot, key.fingerprint("salt"))
    assert (intent.issued_at, intent.answered) == (NOW, False)


def test_it_is_counted_and_audited_before_it_is_sent() -> None:
    hours = [NOW - 25 * HOUR, NOW - 24 * HOUR, NOW - 23 * HOUR]
    action = sent(regenerating(regenerated=tuple(hours)))
    assert action.record.regenerated == (hours[2], NOW)
    found = operation(action)
    assert found.regenerated_at == NOW
    assert [(e.at, e.what) for e in found.audit] == [(NOW, "regenerate Key2")]


def test_two_of_one_instant_have_different_ids() -> None:
    first = sent(regenerating())
    again = sent(replace(regenerating(), record=first.record))
    assert first.record.intent is not None
    assert again.record.intent is not None
    assert first.record.intent.id != again.record.intent.id


def test_a_guard_that_refuses_stops_it() -> None:
    asked: list[Slot] = []

    def refuse(f: Facts, slot: Slot) -> Action:
        asked.append(slot)
        return wait(f, "not now", NOW + HOUR)

    action = send(regenerating(), Slot.KEY2, Phase.VERIFY, refuse)
    assert (action.kind, action.record.intent) == (ActionKind.WAIT, None)
    assert asked == [Slot.KEY2]


class TestEarlier:
    """The outcome of a regenerate that was sent before."""

    @pytest.mark.parametrize(
        ("answered", "quarantine"), [(True, {}), (False, {Slot.KEY2: SETTLED})]
    )
    def test_a_new_value_is_adopted_in_quarantine_if_nobody_answered(
        self, answered: bool, quarantine: Any
    ) -> None:
        action = sent(regenerating(intent=intended(before="former", answered=answered)))
        assert (action.kind, phase(action)) == (ActionKind.MOVE, Phase.VERIFY)
        assert operation(action).value == BEFORE
        assert action.record.intent is None
        assert action.record.quarantine == quarantine

    def test_the_adopted_value_is_that_of_the_candidate(self) -> None:
        """Also if it is the other slot that was regenerated."""
        f = regenerating(intent=intended(Slot.KEY1, "former", answered=True))
        assert operation(sent(f, Slot.KEY1)).value == BEFORE

    def test_without_an_answer_and_without_a_new_value_it_is_sent_again(self) -> None:
        action = sent(regenerating(intent=intended()))
        assert action.kind is ActionKind.SEND
        assert action.record.intent is not None
        assert action.record.intent.issued_at == NOW
        assert action.record.quarantine == {Slot.KEY2: SETTLED}

    @pytest.mark.parametrize("before", [KEYS.key1.fingerprint("salt"), "former"])
    @pytest.mark.parametrize("answered", [True, False])
    def test_one_of_the_other_slot_only_leaves_its_quarantine(
        self, before: str, answered: bool
    ) -> None:
        action = sent(regenerating(intent=intended(Slot.KEY1, before, answered=answered)))
        assert action.kind is ActionKind.SEND
        uncertain = not answered or before != "former"
        assert action.record.quarantine == ({Slot.KEY1: SETTLED} if uncertain else {})

    def test_a_quarantine_of_the_other_slot_stays(self) -> None:
        f = regenerating(intent=intended(), quarantine={Slot.KEY1: NOW + HOUR})
        assert sent(f).record.quarantine == {Slot.KEY1: NOW + HOUR, Slot.KEY2: SETTLED}


@pytest.mark.parametrize("is_unlisted", [False, True])
def test_an_intent_stays_until_arm_lists_the_new_value(is_unlisted: bool) -> None:
    given = intended(before="former", answered=True)
    action = sent(replace(regenerating(intent=given), is_unlisted=is_unlisted))
    assert operation(action).value == KEYS.key2.fingerprint("salt")
    assert (action.record.intent == given) is is_unlisted
    assert (action.record.intent is None) is not is_unlisted


@pytest.mark.parametrize("phase", [Phase.VERIFY, Phase.PUBLISH, Phase.PROVE, Phase.CLEAN])
def test_then_it_is_confirmed(phase: Phase) -> None:
    given = intended(before="former", answered=True)
    f = running(phase, rotation(), intent=given)
    assert confirmed(f).record.intent is None
    assert confirmed(replace(f, is_unlisted=True)).record.intent == given
    late = running(phase, rotation(), intent=intended(answered=True))
    assert confirmed(late).record.intent == intended(answered=True)


@pytest.mark.parametrize("phase", [Phase.REGENERATE, Phase.REVOKE])
def test_a_phase_that_sends_looks_at_its_intent_itself(phase: Phase) -> None:
    f = running(phase, rotation(), intent=intended(before="former", answered=True))
    assert confirmed(f) is f


def test_an_operation_that_ends_before_that_leaves_a_quarantine() -> None:
    f = regenerating(intent=intended(before="former", answered=True))
    assert without_intent(f).record.quarantine == {}
    unlisted = without_intent(replace(f, is_unlisted=True))
    assert unlisted.record.quarantine == {Slot.KEY2: SETTLED}


class TestWithoutEffect:
    """ARM answered, but still lists the old key."""

    def listed(self, since: timedelta) -> Facts:
        op = rotation(phase_since=NOW - since)
        return running(Phase.REGENERATE, op, intent=intended(answered=True))

    def test_it_is_read_again_and_not_sent_again(self) -> None:
        action = sent(self.listed(HOUR))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)
        assert action.record.intent == intended(answered=True)
        assert operation(action).tries == 1
        assert "Key2" in action.reason

    def test_after_the_policys_patience_a_person_is_asked(self) -> None:
        action = sent(self.listed(HOUR + SECOND))
        assert action.kind is ActionKind.BLOCKED
        assert action.record.blocked is not None
        assert action.record.blocked.code == "no-effect"
        assert action.record.blocked.since == NOW

    def test_an_emergency_asks_nobody_and_looks_every_few_seconds(self) -> None:
        f = responding(Phase.REVOKE, intent=intended(answered=True))
        action = sent(f)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)
        assert action.remedy
