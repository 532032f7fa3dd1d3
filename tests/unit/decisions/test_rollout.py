"""The phases of a rotation: what each needs before the next one, and what leads back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import rollout
from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.facts import Facts
from rotation.domain.evidence import EvidencePolicy, Readers
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Intent, Phase, PublishedVersion, Purpose
from rotation.domain.policy import Policy, ProbePolicy
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.record import Repair

from .account import (
    ACCEPTED,
    INCONCLUSIVE,
    KEYS,
    LONG_AGO,
    NOW,
    OLD,
    REFUSED,
    name,
    notices,
    operation,
    phase,
    rotation,
    running,
    target,
    verdicts,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEY1, KEY2 = (key.fingerprint("salt") for key in (KEYS.key1, KEYS.key2))
DONE = target("b", KEYS.key2)
REPAIR: dict[str, Any] = {"purpose": Purpose.REPAIR, "revoke": None}


class TestRegenerate:
    def test_the_spare_is_regenerated(self) -> None:
        action = rollout.regenerate(running(Phase.REGENERATE, rotation()))
        assert (action.kind, action.slot) == (ActionKind.SEND, Slot.KEY2)

    @pytest.mark.parametrize("value", [KEYS.key2, OLD])
    def test_not_once_a_secret_shows_another_key_than_the_live_one(self, value: Key) -> None:
        f = running(Phase.REGENERATE, rotation(requests=("m-1",)), target("a"), target("b", value))
        action = rollout.regenerate(f)
        assert phase(action) is Phase.IDLE
        assert [request.id for request in action.record.requests] == ["op-1"]


class TestVerify:
    def verify(self, *targets: Any, answer: ProbeVerdict = ACCEPTED, **more: Any) -> Action:
        record = {key: more.pop(key) for key in ("quarantine",) if key in more}
        f = running(Phase.VERIFY, rotation(**more), *targets, **record)
        return rollout.verify(verdicts(f, (KEYS.key2, answer)))

    def test_a_repair_comes_first_until_a_rotation_has_published(self) -> None:
        broken = target("a", OLD), target("b")
        assert phase(self.verify(*broken)) is Phase.IDLE
        assert phase(self.verify(*broken, overlap_until=NOW)) is Phase.VERIFY
        assert phase(self.verify(*broken, purpose=Purpose.REPAIR)) is Phase.VERIFY

    def test_a_new_value_is_verified_from_the_start(self) -> None:
        puts = {name("a"): PublishedVersion("v1", NOW)}
        action = self.verify(value="another", puts=puts, successes=2)
        assert (action.kind, phase(action)) == (ActionKind.MOVE, Phase.VERIFY)
        found = operation(action)
        assert (found.value, found.puts, found.successes) == (KEY2, {}, 0)

    def test_the_value_before_the_regenerate_is_only_listed_late(self) -> None:
        intent = Intent("i", Slot.KEY2, KEY2, NOW - MINUTE, answered=True)
        op = rotation(value="another", successes=1)
        action = rollout.verify(running(Phase.VERIFY, op, intent=intent))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)
        assert (operation(action).value, operation(action).successes) == ("another", 1)
        late = replace(op, phase_since=NOW - 61 * MINUTE)
        blocked = rollout.verify(running(Phase.VERIFY, late, intent=intent))
        assert blocked.record.blocked is not None
        assert blocked.record.blocked.code == "no-effect"

    def test_a_quarantine_is_waited_out(self) -> None:
        action = self.verify(quarantine={Slot.KEY2: NOW + MINUTE})
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + MINUTE)
        other = self.verify(quarantine={Slot.KEY1: NOW + MINUTE})
        assert other.not_before == NOW + 15 * SECOND

    def test_the_new_key_is_probed(self) -> None:
        action = rollout.verify(replace(running(Phase.VERIFY, rotation()), verdicts={}))
        assert (action.kind, action.missing.probe) == (ActionKind.ASK, (KEYS.key2,))


class TestSuccesses:
    def proven(self, successes: int, first: timedelta | None = None, **more: Any) -> Action:
        began = NOW - first if first is not None else None
        op = rotation(**{"successes": successes, "first_success": began, "tries": 3, **more})
        return rollout.verify(running(Phase.VERIFY, op))

    def test_each_is_counted(self) -> None:
        action = self.proven(1, HOUR)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 15 * SECOND)
        found = operation(action)
        assert (found.successes, found.first_success, found.tries) == (2, NOW - HOUR, 0)
        assert operation(self.proven(0)).first_success == NOW

    @pytest.mark.parametrize(
        ("successes", "first", "publishes"),
        [
            (2, 30 * SECOND, True),
            (2, 29 * SECOND, False),
            (1, HOUR, False),
            (7, 29 * SECOND, False),
        ],
    )
    def test_enough_of_them_over_the_span_lead_to_the_publish(
        self, successes: int, first: timedelta, publishes: bool
    ) -> None:
        action = self.proven(successes, first)
        assert phase(action) is (Phase.PUBLISH if publishes else Phase.VERIFY)
        assert publishes or action.not_before == NOW + 15 * SECOND

    def test_the_expiry_to_write_is_that_of_the_new_key(self) -> None:
        op = rotation(successes=2, first_success=NOW - HOUR)
        births = {KEY2: NOW - 10 * DAY, KEY1: NOW - 40 * DAY}
        action = rollout.verify(running(Phase.VERIFY, op, births=births))
        assert operation(action).expires == NOW + 80 * DAY

    def test_where_one_is_enough_no_time_must_pass(self) -> None:
        assert phase(self.proven(0, successes_needed=1)) is Phase.PUBLISH

    def test_two_are_the_whole_span_apart(self) -> None:
        assert self.proven(0, successes_needed=2).not_before == NOW + 30 * SECOND


class TestNotYet:
    def failed(self, ago: timedelta = MINUTE, answer: ProbeVerdict = REFUSED, **more: Any) -> Facts:
        control = more.pop("control", REFUSED)
        op = rotation(phase_since=NOW - ago, successes=2, first_success=NOW, tries=1)
        f = running(Phase.VERIFY, op, **more)
        return replace(verdicts(f, (KEYS.key2, answer)), control=control)

    def test_it_is_probed_again_and_counted_from_the_start(self) -> None:
        action = rollout.verify(self.failed())
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 10 * SECOND)
        found = operation(action)
        assert (found.successes, found.first_success, found.tries) == (0, None, 2)

    @pytest.mark.parametrize(
        ("ago", "quarantine", "blocks"),
        [
            (HOUR, {}, False),
            (HOUR + SECOND, {}, True),
            (2 * HOUR, {Slot.KEY2: NOW - HOUR}, False),
            (2 * HOUR, {Slot.KEY2: NOW - HOUR - SECOND}, True),
            (HOUR, {Slot.KEY2: NOW - 2 * HOUR}, False),
            (2 * HOUR, {Slot.KEY1: NOW}, True),
        ],
    )
    def test_after_the_policys_patience_a_person_is_asked(
        self, ago: timedelta, quarantine: Any, blocks: bool
    ) -> None:
        action = rollout.verify(self.failed(ago, quarantine=quarantine))
        assert (action.record.blocked is not None) is blocks
        if action.record.blocked:
            assert action.record.blocked.code == "new-key-not-proven"
            assert "Key2" in action.record.blocked.message

    def test_a_probe_that_accepts_every_key_blocks_at_once(self) -> None:
        action = rollout.verify(self.failed(answer=ACCEPTED, control=ACCEPTED))
        assert action.record.blocked is not None
        unclear = rollout.verify(self.failed(answer=ACCEPTED, control=INCONCLUSIVE))
        assert unclear.record.blocked is None


class TestPublish:
    def publishing(self, *targets: Any, **op: Any) -> Facts:
        return running(Phase.PUBLISH, rotation(**op), *targets)

    def test_each_secret_without_the_key_gets_it(self) -> None:
        action = rollout.publish(self.publishing(target("a"), DONE, target("c")))
        assert (action.kind, action.slot) == (ActionKind.PUBLISH, Slot.KEY2)
        assert [found.name for found in action.targets] == ["a", "c"]
        assert operation(action).overwritten == 0

    def test_publishing_again_to_the_same_secret_is_counted(self) -> None:
        puts = {name("a"): PublishedVersion("v0", LONG_AGO)}
        action = rollout.publish(self.publishing(puts=puts, overwritten=1))
        assert operation(action).overwritten == 2

    @pytest.mark.parametrize("slot", [None, Slot.KEY2, Slot.KEY1])
    def test_a_key_that_changed_or_may_change_is_verified_again(self, slot: Slot | None) -> None:
        value = "another" if slot is None else KEY2
        quarantine = {slot: NOW + MINUTE} if slot else {}
        f = running(Phase.PUBLISH, rotation(value=value), quarantine=quarantine)
        publishes = slot is Slot.KEY1
        action = rollout.publish(f)
        assert (action.kind is ActionKind.PUBLISH) is publishes
        assert publishes or phase(action) is Phase.VERIFY

    def test_an_unknown_value_is_probed_before_it_is_overwritten(self) -> None:
        unknown = Key("d" * 32)
        action = rollout.publish(self.publishing(target("a", unknown), target("b")))
        assert action.kind is ActionKind.ASK
        assert action.missing.probe == (unknown, KEYS.key1, KEYS.key2)

    def test_the_new_key_is_probed_in_the_same_step(self) -> None:
        action = rollout.publish(replace(self.publishing(), verdicts={}))
        assert (action.kind, action.missing.probe) == (ActionKind.ASK, (KEYS.key2,))
        refused = rollout.publish(verdicts(self.publishing(), (KEYS.key2, REFUSED)))
        assert phase(refused) is Phase.VERIFY

    @pytest.mark.parametrize(("ago", "wait"), [(0, 2), (1, 1), (2, 0)])
    def test_a_new_version_of_a_disabled_secret_must_be_told_from_the_last(
        self, ago: int, wait: int
    ) -> None:
        older = target("b", None, created=NOW - 9 * SECOND)
        f = self.publishing(target("a", None, created=NOW - ago * SECOND), older, target("c"))
        action = rollout.publish(f)
        assert (action.kind is ActionKind.WAIT) is bool(wait)
        assert not wait or action.not_before == NOW + wait * SECOND

    def test_a_secret_that_still_shows_the_former_version_is_read_again(self) -> None:
        later = {name("a"): PublishedVersion("v2", NOW)}
        action = rollout.publish(self.publishing(puts=later, tries=4))
        assert (action.kind, operation(action).tries) == (ActionKind.WAIT, 5)
        assert rollout.publish(self.publishing(puts=later, tries=5)).kind is ActionKind.PUBLISH
        same = {name("a"): PublishedVersion("v2", LONG_AGO)}
        assert rollout.publish(self.publishing(puts=same)).kind is ActionKind.PUBLISH


class TestOtherWriters:
    OFTEN = PublishedVersion("v1", NOW - MINUTE, times=4)

    def test_one_that_is_overwritten_again_and_again_does_not_hold_the_others(self) -> None:
        puts = {name("a"): self.OFTEN}
        f = running(Phase.PUBLISH, rotation(puts=puts), target("a"), target("b"))
        assert [t.name for t in rollout.publish(f).targets] == ["b"]
        f = running(Phase.PUBLISH, rotation(puts=puts), target("a"), DONE)
        assert phase(rollout.publish(f)) is Phase.OVERLAP

    def test_if_no_other_shows_the_key_the_first_of_them_is_waited_for(self) -> None:
        later = PublishedVersion("v1", NOW, times=4)
        f = running(Phase.PUBLISH, rotation(puts={name("a"): later, name("b"): self.OFTEN}))
        action = rollout.publish(f)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 14 * MINUTE)

    def kept(self, shown: Any, **op: Any) -> Action:
        f = running(Phase.PUBLISH, rotation(**op), shown, DONE)
        f = replace(f, record=replace(f.record, seen={}))
        return rollout.publish(verdicts(f, (OLD, INCONCLUSIVE)))

    def test_a_value_that_may_be_somebody_elses_is_waited_for(self) -> None:
        action = self.kept(target("a", OLD))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + MINUTE)

    def test_a_disabled_version_that_nobody_read_needs_a_person(self) -> None:
        action = self.kept(target("a", None))
        assert (action.kind, action.not_before) == (ActionKind.BLOCKED, NOW + MINUTE)

    def test_also_if_no_secret_shows_the_new_key_yet(self) -> None:
        f = running(Phase.PUBLISH, rotation(), target("a", OLD))
        f = replace(f, record=replace(f.record, seen={}))
        action = rollout.publish(verdicts(f, (OLD, INCONCLUSIVE)))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + MINUTE)

    def test_a_repair_goes_on_without_it(self) -> None:
        assert phase(self.kept(target("a", OLD), **REPAIR)) is Phase.IDLE

    def test_others_are_published_first(self) -> None:
        f = running(Phase.PUBLISH, rotation(), target("a", OLD), target("b"))
        f = replace(verdicts(f, (OLD, INCONCLUSIVE)), record=replace(f.record, seen={}))
        assert [t.name for t in rollout.publish(f).targets] == ["b"]


class TestPublished:
    def published(self, created: timedelta = HOUR, **more: Any) -> Action:
        record = {key: more.pop(key) for key in ("repairs", "repaired") if key in more}
        shown = target("a", KEYS.key2, created=NOW - created), DONE
        return rollout.publish(running(Phase.PUBLISH, rotation(**more), *shown, **record))

    def test_the_overlap_begins(self) -> None:
        action = self.published()
        assert phase(action) is Phase.OVERLAP
        assert (action.record.published_at, action.record.published) == (NOW, KEY2)
        assert operation(action).overlap_until == NOW + 25 * HOUR

    def test_it_notifies_once(self) -> None:
        action = self.published()
        assert notices(action) == ["rotated"]
        assert action.record.outbox[0].data["slot"] == "Key2"
        assert not notices(self.published(overlap_until=NOW))

    def test_a_repair_is_over_and_counted(self) -> None:
        before = {name("a"): Repair(2, NOW - HOUR), name("z"): Repair(1, NOW)}
        puts = {name("a"): PublishedVersion("v1", NOW), name("b"): PublishedVersion("v1", NOW)}
        repaired = (NOW - 25 * HOUR, NOW - HOUR)
        action = self.published(**REPAIR, puts=puts, repairs=before, repaired=repaired)
        assert phase(action) is Phase.IDLE
        assert action.record.repairs == {
            name("a"): Repair(3, NOW),
            name("b"): Repair(1, NOW),
            name("z"): Repair(1, NOW),
        }
        assert action.record.repaired == (NOW - HOUR, NOW)
        assert (action.record.published_at, action.record.published) == (NOW, KEY2)
        assert notices(action) == ["repaired", "ended"]
        assert action.record.outbox[0].data["slot"] == "Key2"
        assert action.record.outbox[0].data["of"] == KEY2[:8]


class TestOverlap:
    def overlap(self, ago: timedelta = 26 * HOUR, **more: Any) -> Action:
        members = {key: more.pop(key) for key in ("versions", "policy", "readers") if key in more}
        shown = target("a", KEYS.key2, created=NOW - ago, version="v2"), DONE
        f = running(Phase.OVERLAP, rotation(**more), *shown)
        return rollout.overlap(replace(f, **members))

    def test_it_is_waited_out_to_the_second(self) -> None:
        action = self.overlap(26 * HOUR - SECOND)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + SECOND)
        off = Policy(evidence=EvidencePolicy.OFF)
        assert phase(self.overlap(policy=off)) is Phase.REVOKE

    def test_with_nothing_to_revoke_it_ends(self) -> None:
        action = self.overlap(revoke=None)
        assert phase(action) is Phase.IDLE
        assert action.record.history[-1].outcome == "published"

    def test_the_versions_are_read_if_they_may_show_that_it_is_over(self) -> None:
        assert self.overlap(HOUR, versions=None).missing.versions
        assert not self.overlap(26 * HOUR, versions=None).missing.versions
        puts = {n: PublishedVersion(of, NOW) for n, of in [(name("a"), "v2"), (name("b"), "v1")]}
        ours = self.overlap(HOUR, versions=None, puts=puts)
        assert (ours.kind, ours.not_before) == (ActionKind.WAIT, NOW + 25 * HOUR)

    def test_a_key_that_somebody_changed_leads_back(self) -> None:
        assert phase(self.overlap(value="another")) is Phase.VERIFY

    def test_evidence_may_hold_the_revocation(self) -> None:
        policy = Policy(evidence=EvidencePolicy.REQUIRE)
        assert self.overlap(policy=policy).missing.readers
        stale = Readers(stale=("app",))
        assert self.overlap(policy=policy, readers=stale).kind is ActionKind.WAIT
        assert phase(self.overlap(policy=policy, readers=Readers())) is Phase.REVOKE


class TestStepBack:
    def back(self, *targets: Any, **op: Any) -> Action:
        f = running(Phase.OVERLAP, rotation(overlap_until=NOW, **op), *targets)
        return rollout.overlap(f)

    def test_a_secret_without_the_key_gets_it_again(self) -> None:
        assert phase(self.back(target("a"), DONE)) is Phase.PUBLISH
        assert phase(self.back(target("a"), target("b"))) is Phase.PUBLISH

    def test_one_that_shows_the_former_version_for_a_moment_is_read_again(self) -> None:
        puts = {name("a"): PublishedVersion("v2", NOW)}
        action = self.back(target("a"), DONE, puts=puts, tries=4)
        assert (phase(action), operation(action).tries) == (Phase.OVERLAP, 5)
        assert phase(self.back(target("a"), DONE, puts=puts, tries=5)) is Phase.PUBLISH

    def test_one_that_is_overwritten_again_and_again_does_not_lead_back(self) -> None:
        puts = {name("a"): PublishedVersion("v1", NOW, times=4)}
        f = running(Phase.OVERLAP, rotation(puts=puts), target("a"), DONE)
        assert phase(rollout.overlap(f)) is Phase.REVOKE
        alone = running(Phase.OVERLAP, rotation(puts=puts), target("a"))
        assert operation(rollout.overlap(alone)).tries == 1

    def test_nor_one_whose_value_works(self) -> None:
        f = running(Phase.OVERLAP, rotation(), target("a", OLD), DONE)
        action = rollout.overlap(verdicts(f, (OLD, ACCEPTED)))
        assert phase(action) is not Phase.PUBLISH
        assert phase(rollout.overlap(verdicts(f, (OLD, REFUSED)))) is Phase.PUBLISH

    def test_a_key_that_somebody_changed_needs_one_probe(self) -> None:
        assert operation(self.back(DONE, value="another")).successes_needed == 1


def test_a_lenient_policy_publishes_an_unclear_key() -> None:
    op = rotation(successes=2, first_success=NOW - HOUR)
    f = replace(running(Phase.VERIFY, op), policy=Policy(probe=ProbePolicy.ACCEPT))
    unclear = ProbeVerdict(ProbeResult.INCONCLUSIVE)
    assert phase(rollout.verify(verdicts(f, (KEYS.key2, unclear)))) is Phase.PUBLISH
