"""PUBLISH, OVERLAP and REVOKE of an emergency: which secrets it waits for, and how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import distribution
from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.facts import Facts
from rotation.domain import consumers
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Attempt, Intent, Phase, PublishedVersion
from rotation.domain.policy import Policy
from rotation.domain.probing import ProbeVerdict
from rotation.domain.targets import Enrolment, Target

from .account import (
    ACCEPTED,
    ACCOUNT,
    INCONCLUSIVE,
    KEYS,
    NOW,
    OLD,
    REFUSED,
    changed,
    document,
    name,
    notices,
    operation,
    phase,
    responding,
    target,
    verdicts,
)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
KEY1, KEY2 = (key.fingerprint("salt") for key in (KEYS.key1, KEYS.key2))
DONE = target("b", KEYS.key2)
PUT = {name("a"): PublishedVersion("v2", NOW - MINUTE)}
BOTH = (target("a", KEYS.key2), DONE)
SITE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/shop"
LATE = Attempt(NOW - HOUR, NOW - 30 * SECOND, "ServiceUnavailable")  # given up, tried just now
SOON = Attempt(NOW - MINUTE, NOW - SECOND, "ServiceUnavailable")  # waited for, tried just now


def publishing(*targets: Target, **more: Any) -> Facts:
    return responding(Phase.PUBLISH, *targets, **more)


class TestPublish:
    def test_each_secret_without_the_key_gets_it(self) -> None:
        action = distribution.publish(publishing(target("a"), DONE, target("c")))
        assert (action.kind, action.slot) == (ActionKind.PUBLISH, Slot.KEY2)
        assert [found.name for found in action.targets] == ["a", "c"]

    @pytest.mark.parametrize(
        "more", [{"op": {"value": "another"}}, {"quarantine": {Slot.KEY2: NOW + MINUTE}}]
    )
    def test_a_key_that_changed_is_verified_again(self, more: Any) -> None:
        assert phase(distribution.publish(publishing(**more))) is Phase.VERIFY

    def test_a_quarantine_of_the_leaked_key_does_not_matter(self) -> None:
        f = publishing(quarantine={Slot.KEY1: NOW + MINUTE})
        assert distribution.publish(f).kind is ActionKind.PUBLISH

    def test_a_value_that_nobody_knows_is_probed_before_it_is_overwritten(self) -> None:
        unknown = Key("d" * 32)
        f = publishing(target("a", unknown), target("b", OLD), target("c", None), target("d"))
        action = distribution.publish(f)
        assert action.kind is ActionKind.ASK
        assert action.missing.probe == (unknown, KEYS.key1, KEYS.key2)

    def test_a_dead_value_is_overwritten_once_the_same_step_accepts_a_current_key(self) -> None:
        """A secret may be admitted after the step that proved the successor."""
        dead = Key("d" * 32)
        f = replace(publishing(target("a", dead), DONE), verdicts={})
        asked = distribution.publish(f).missing.probe
        told = verdicts(f, *((key, REFUSED if key == dead else ACCEPTED) for key in asked))
        action = distribution.publish(told)
        assert (action.kind, [t.name for t in action.targets]) == (ActionKind.PUBLISH, ["a"])

    def test_a_leaked_value_is_overwritten_without_a_probe(self) -> None:
        f = replace(publishing(target("a", OLD)), emergencies=(document(OLD),))
        f = replace(f, verdicts={KEYS.key2: f.verdicts[KEYS.key2]})
        assert distribution.publish(f).kind is ActionKind.PUBLISH

    def test_the_successor_is_probed_in_the_same_step(self) -> None:
        action = distribution.publish(replace(publishing(), verdicts={}))
        assert (action.kind, action.missing.probe) == (ActionKind.ASK, (KEYS.key2,))

    @pytest.mark.parametrize(
        ("answer", "unproven", "kind"),
        [
            (REFUSED, True, ActionKind.MOVE),
            (REFUSED, False, ActionKind.MOVE),
            (INCONCLUSIVE, False, ActionKind.MOVE),
            (INCONCLUSIVE, True, ActionKind.PUBLISH),
        ],
    )
    def test_a_refused_one_is_never_published_and_an_unclear_one_only_as_not_proven(
        self, answer: ProbeVerdict, unproven: bool, kind: ActionKind
    ) -> None:
        f = verdicts(publishing(op={"unproven": unproven}), (KEYS.key2, answer))
        action = distribution.publish(f)
        assert action.kind is kind
        assert kind is ActionKind.PUBLISH or phase(action) is Phase.VERIFY

    @pytest.mark.parametrize(("ago", "wait"), [(0, 2), (1, 1), (2, 0)])
    def test_a_new_version_of_a_disabled_secret_must_be_told_from_the_last(
        self, ago: int, wait: int
    ) -> None:
        f = publishing(target("a", None, created=NOW - ago * SECOND), target("c"))
        action = distribution.publish(f)
        if wait:
            assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + wait * SECOND)
        else:
            assert action.kind is ActionKind.PUBLISH


class TestVisibility:
    def test_a_secret_that_still_shows_the_former_version_is_read_again(self) -> None:
        action = distribution.publish(publishing(op={"puts": PUT, "tries": 4}))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)
        assert operation(action).tries == 5

    def test_but_not_for_ever(self) -> None:
        action = distribution.publish(publishing(op={"puts": PUT, "tries": 5}))
        assert action.kind is ActionKind.PUBLISH

    @pytest.mark.parametrize(
        ("of", "created", "unseen"),
        [
            ("v1", NOW - MINUTE, True),
            ("v1", NOW - MINUTE + SECOND, False),
            ("v2", NOW - MINUTE, False),
        ],
    )
    def test_a_newer_version_is_somebody_elses(self, of: str, created: Any, unseen: bool) -> None:
        f = publishing(target("a", version=of, created=created), op={"puts": PUT})
        assert (distribution.publish(f).kind is ActionKind.WAIT) is unseen


class TestWaiting:
    def test_a_secret_that_may_heal_is_waited_for(self) -> None:
        other = target("other", KEYS.key2)
        f = publishing(target("a"), other, op={"attempts": {name("a"): SOON}})
        action = distribution.publish(f)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)
        assert "a (ServiceUnavailable)" in action.reason
        assert "other" not in action.reason
        assert action.remedy

    def test_it_is_remembered_since_when_one_cannot_be_read(self) -> None:
        f = publishing(target("a", None, readable=False), DONE)
        action = distribution.publish(f)
        assert action.kind is ActionKind.WAIT
        assert operation(action).attempts[name("a")].since == NOW

    def test_one_that_was_given_up_is_not(self) -> None:
        f = publishing(target("a"), DONE, op={"attempts": {name("a"): LATE}})
        assert phase(distribution.publish(f)) is Phase.OVERLAP


class TestPublished:
    def test_the_record_keeps_the_value_and_the_time(self) -> None:
        action = distribution.publish(publishing(*BOTH))
        assert phase(action) is Phase.OVERLAP
        assert (action.record.published_at, action.record.published) == (NOW, KEY2)
        assert operation(action).overlap_until == NOW

    def test_it_notifies_once(self) -> None:
        first = distribution.publish(publishing(*BOTH))
        assert notices(first) == ["rotated"]
        assert first.record.outbox[0].data["slot"] == "Key2"
        again = distribution.publish(publishing(*BOTH, op={"overlap_until": NOW}))
        assert not notices(again)

    def test_the_consumers_of_what_was_published_are_asked_to_read_again(self) -> None:
        known = consumers.parse(f"shop@kv={SITE}, other@kv={SITE}2", ("https://kv",))
        shop = target("a", KEYS.key2, enrolment=Enrolment(ACCOUNT, consumers=("shop",)))
        left = target("c", enrolment=Enrolment(ACCOUNT, consumers=("other",)))
        f = publishing(shop, left, op={"attempts": {name("c"): LATE}})
        action = distribution.publish(replace(f, policy=Policy(consumers=known)))
        assert phase(action) is Phase.OVERLAP
        assert set(action.record.nudges) == {"shop"}

    def test_it_names_the_secrets_that_are_left(self) -> None:
        f = publishing(target("left"), DONE, op={"attempts": {name("left"): LATE}})
        action = distribution.publish(f)
        assert action.reason == "b publishes Key2; still without it: left"
        assert "still without" not in distribution.publish(publishing(*BOTH)).reason

    def test_without_any_secret_it_goes_on(self) -> None:
        f = publishing(target("a"), op={"attempts": {name("a"): LATE}})
        assert "no secret publishes" in distribution.publish(f).reason

    def test_an_overlap_counts_from_the_last_secret_that_shows_the_key(self) -> None:
        young = target("a", KEYS.key2, created=NOW - MINUTE)
        stuck = target("c", created=NOW)
        attempts = {name("c"): LATE}
        f = publishing(young, DONE, stuck, op={"overlap": HOUR, "attempts": attempts})
        assert operation(distribution.publish(f)).overlap_until == NOW + 59 * MINUTE

    def test_without_any_it_counts_from_the_phase(self) -> None:
        attempts = {name("a"): replace(LATE, at=NOW)}
        op = {"overlap": HOUR, "attempts": attempts, "phase_since": NOW - MINUTE}
        f = publishing(target("a"), op=op)
        assert operation(distribution.publish(f)).overlap_until == NOW + 59 * MINUTE


class TestOverlap:
    def overlap(self, ago: timedelta, **op: Any) -> Action:
        shown = target("a", KEYS.key2, created=NOW - ago), DONE
        return distribution.overlap(responding(Phase.OVERLAP, *shown, op={"overlap": HOUR} | op))

    def test_it_is_waited_out_to_the_second(self) -> None:
        action = self.overlap(HOUR - SECOND)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + SECOND)
        assert phase(self.overlap(HOUR)) is Phase.REVOKE

    def test_its_end_is_stored_when_it_is_first_shown(self) -> None:
        assert operation(self.overlap(HOUR - SECOND)).overlap_until == NOW + SECOND

    @pytest.mark.parametrize(
        "put", [PublishedVersion("v2", NOW - HOUR), PublishedVersion("v2", NOW, first=NOW - HOUR)]
    )
    def test_rewriting_what_we_published_does_not_restart_it(self, put: PublishedVersion) -> None:
        assert phase(self.overlap(timedelta(), puts={name("a"): put})) is Phase.REVOKE

    def test_nor_does_rewriting_what_others_published(self) -> None:
        assert phase(self.overlap(timedelta(), overlap_until=NOW)) is Phase.REVOKE
        later = self.overlap(timedelta(), overlap_until=NOW + MINUTE)
        assert later.not_before == NOW + MINUTE

    def test_without_one_it_goes_on_at_once(self) -> None:
        assert phase(self.overlap(timedelta(), overlap=timedelta())) is Phase.REVOKE

    def test_a_key_that_somebody_changed_is_verified_again(self) -> None:
        action = self.overlap(HOUR, value="another")
        assert phase(action) is Phase.VERIFY
        assert operation(action).successes_needed == 1


class TestRevoke:
    def revoking(self, *targets: Target, **more: Any) -> Facts:
        return responding(Phase.REVOKE, *(targets or BOTH), **more)

    def test_the_leaked_key_is_regenerated(self) -> None:
        action = distribution.revoke(self.revoking())
        assert (action.kind, action.slot) == (ActionKind.SEND, Slot.KEY1)

    def test_its_new_value_leads_to_the_proof(self) -> None:
        f = self.revoking(intent=Intent("i", Slot.KEY1, "former", NOW))
        assert phase(distribution.revoke(f)) is Phase.PROVE

    @pytest.mark.parametrize(
        "op",
        [{"revoke": None}, {"revoke": None, "retired": KEY2}, {"retired": "another"}],
    )
    def test_a_key_that_no_slot_shows_is_only_proven(self, op: Any) -> None:
        action = distribution.revoke(self.revoking(op=op))
        assert (action.kind, phase(action)) == (ActionKind.MOVE, Phase.PROVE)
        assert action.record.intent is None

    def test_an_overlap_that_is_not_over_starts_again(self) -> None:
        young = target("a", KEYS.key2, created=NOW - HOUR + SECOND)
        f = self.revoking(young, DONE, op={"overlap": HOUR})
        assert phase(distribution.revoke(f)) is Phase.OVERLAP
        old = target("a", KEYS.key2, created=NOW - HOUR)
        f = self.revoking(old, DONE, op={"overlap": HOUR})
        assert distribution.revoke(f).kind is ActionKind.SEND

    def test_once_it_was_sent_neither_counts(self) -> None:
        young = target("a", KEYS.key2, created=NOW)
        intent = Intent("i", Slot.KEY1, KEY1, NOW, answered=True)
        op = {"overlap": HOUR, "retired": "another"}
        action = distribution.revoke(self.revoking(young, DONE, op=op, intent=intent))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)

    def test_a_key_that_somebody_changed_is_verified_again(self) -> None:
        assert phase(distribution.revoke(self.revoking(op={"value": "another"}))) is Phase.VERIFY


class TestSuccessor:
    """The leaked key is not regenerated while its consumers would be left without a key."""

    def revoke(self, answer: ProbeVerdict = REFUSED, doc: Any = None, **op: Any) -> Action:
        f = verdicts(responding(Phase.REVOKE, *BOTH, op=op), (KEYS.key2, answer))
        return distribution.revoke(replace(f, emergencies=(document(**doc or {}),)))

    def test_a_refused_one_holds_it(self) -> None:
        action = self.revoke()
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + MINUTE)
        assert "Key2" in action.reason
        assert action.remedy

    def test_it_is_probed_first(self) -> None:
        f = replace(responding(Phase.REVOKE, *BOTH), verdicts={})
        assert distribution.revoke(f).missing.probe == (KEYS.key2,)

    def test_an_unclear_one_does_not(self) -> None:
        assert self.revoke(INCONCLUSIVE).kind is ActionKind.SEND

    def test_a_person_may_go_on_without_it(self) -> None:
        assert self.revoke(doc={"forced": True}).kind is ActionKind.SEND
        assert self.revoke(without_successor=True).kind is ActionKind.SEND

    def test_if_no_secret_can_be_read_nobody_needs_it(self) -> None:
        hidden = target("a", None, readable=False)
        gone = {name("a"): Attempt(NOW, NOW, "Forbidden", hopeless=True)}
        f = responding(Phase.REVOKE, hidden, op={"attempts": gone})
        f = verdicts(f, (KEYS.key2, REFUSED))
        assert distribution.revoke(f).kind is ActionKind.SEND
        f = responding(Phase.REVOKE, hidden, DONE, op={"attempts": gone})
        f = verdicts(f, (KEYS.key2, REFUSED))
        assert distribution.revoke(f).kind is ActionKind.WAIT


class TestStepBack:
    def back(self, *targets: Target, **op: Any) -> Action | None:
        return distribution.step_back(responding(Phase.REVOKE, *(targets or BOTH), op=op))

    def test_if_all_is_as_it_was_it_goes_on(self) -> None:
        assert self.back() is None

    def test_a_secret_without_the_key_gets_it_again(self) -> None:
        assert phase(self.back(target("a"), DONE)) is Phase.PUBLISH

    def test_so_does_one_that_cannot_be_read_until_it_is_given_up(self) -> None:
        hidden = target("a", None, readable=False)
        assert phase(self.back(hidden, DONE)) is Phase.PUBLISH
        assert self.back(hidden, DONE, attempts={name("a"): LATE}) is None

    def test_one_that_shows_the_former_version_for_a_moment_is_read_again(self) -> None:
        puts = {name("a"): PublishedVersion("v2", NOW)}
        action = self.back(target("a"), DONE, puts=puts)
        assert action is not None
        assert (action.kind, phase(action)) == (ActionKind.WAIT, Phase.REVOKE)
        assert operation(action).tries == 1

    def test_without_a_successor_nothing_leads_back(self) -> None:
        assert self.back(target("a"), value="another", without_successor=True) is None


def test_a_given_up_secret_is_tried_once_more_each_time_that_the_phase_begins() -> None:
    f = publishing(target("a"), DONE, op={"attempts": {name("a"): LATE}})
    again = changed(f, phase_since=NOW - 20 * SECOND)
    assert distribution.publish(again).kind is ActionKind.PUBLISH
