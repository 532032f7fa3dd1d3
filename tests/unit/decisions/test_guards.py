"""Each guard of a regenerate, with the last moment at which it holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import guards
from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.facts import Facts
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Attempt, Phase, PublishedVersion, Purpose
from rotation.domain.policy import Policy, ProbePolicy
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.record import Hold
from rotation.domain.targets import Enrolment

from .account import (
    ACCEPTED,
    ACCOUNT,
    INCONCLUSIVE,
    KEYS,
    LONG_AGO,
    NOW,
    REFUSED,
    facts,
    name,
    rotation,
    running,
    seen,
    target,
    verdicts,
    version,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OURS = Enrolment(ACCOUNT, validity=90 * DAY, rotation="op-0")


def guard(f: Facts, slot: Slot = Slot.KEY2) -> Action | None:
    return guards.before_regenerate(f, slot)


def held(f: Facts, slot: Slot = Slot.KEY2) -> tuple[ActionKind, Any]:
    action = guard(f, slot)
    assert action is not None
    return action.kind, action.not_before


@pytest.mark.parametrize(("live", "spare"), [(KEYS.key1, Slot.KEY2), (KEYS.key2, Slot.KEY1)])
def test_the_spare_of_a_healthy_account_may_be_regenerated(live: Key, spare: Slot) -> None:
    f = facts(target("a", live), target("b", live))
    assert guard(f, spare) is None
    assert held(f, spare.other) == (ActionKind.WAIT, NOW + 30 * SECOND)


class TestNewRecord:
    def young(self, **record: Any) -> Facts:
        targets = target("a"), target("b", enrolment=OURS)
        return facts(*targets, **{"began_at": NOW - HOUR, **record})

    def test_it_waits_two_days_for_secrets_that_nobody_remembers(self) -> None:
        assert held(self.young()) == (ActionKind.WAIT, NOW + 47 * HOUR)

    def test_until_the_last_second_of_them(self) -> None:
        assert held(self.young(began_at=NOW - 48 * HOUR + SECOND))[1] == NOW + SECOND
        assert guard(self.young(began_at=NOW - 48 * HOUR)) is None

    @pytest.mark.parametrize("record", [{"searched": True}, {"began_at": None}])
    def test_unless_they_were_searched_or_the_record_is_not_new(self, record: Any) -> None:
        assert guard(self.young(**record)) is None

    def test_also_if_no_secret_shows_that_we_ever_rotated_it(self) -> None:
        assert held(facts(began_at=NOW - HOUR)) == (ActionKind.WAIT, NOW + 47 * HOUR)


class TestPublishedKeys:
    def test_a_disabled_secret_with_an_unknown_key_blocks(self) -> None:
        f = facts(target("a"), target("b", None, version="v9"))
        assert held(f) == (ActionKind.BLOCKED, None)

    def test_one_whose_key_is_remembered_does_not(self) -> None:
        assert guard(facts(target("a"), target("b", None))) is None

    def test_one_that_is_remembered_with_the_slot_to_regenerate_does(self) -> None:
        f = facts(target("a"), target("b", None), seen={name("b"): seen(KEYS.key2)})
        assert held(f) == (ActionKind.WAIT, NOW + 30 * SECOND)

    def test_a_secret_that_publishes_neither_key_holds_it(self) -> None:
        assert held(facts(target("a"), target("b", Key("d" * 32))))[0] is ActionKind.WAIT


class TestWithdrawn:
    def withdrawn(self, *values: Key, **record: Any) -> Facts:
        pairs = zip("cd", values, strict=False)
        return replace(facts(**record), withdrawn=tuple(target(n, v) for n, v in pairs))

    def test_a_withdrawn_secret_with_the_key_holds_it_for_seven_days(self) -> None:
        assert held(self.withdrawn(KEYS.key2)) == (ActionKind.WAIT, NOW + 7 * DAY)

    def test_one_with_the_other_key_does_not(self) -> None:
        assert guard(self.withdrawn(KEYS.key1)) is None

    def test_it_is_decided_again_when_the_first_hold_ends(self) -> None:
        f = self.withdrawn(KEYS.key2, KEYS.key2, held={name("d"): Hold(NOW - DAY)})
        assert held(f)[1] == NOW + 6 * DAY

    def test_after_seven_days_it_does_not_count(self) -> None:
        f = self.withdrawn(KEYS.key2, held={name("c"): Hold(NOW - 7 * DAY)})
        assert guard(f) is None


class TestDailyCap:
    def times(self, *ago: timedelta) -> Facts:
        f = facts(regenerated=tuple(NOW - each for each in ago))
        return replace(f, policy=Policy(daily_cap=2))

    def test_it_waits_until_the_first_of_them_is_a_day_old(self) -> None:
        found = held(self.times(3 * HOUR, HOUR))
        assert found == (ActionKind.BLOCKED, NOW + 21 * HOUR)

    def test_one_fewer_is_allowed(self) -> None:
        assert guard(self.times(HOUR)) is None

    def test_one_that_is_a_day_old_does_not_count(self) -> None:
        assert guard(self.times(DAY, HOUR)) is None
        assert held(self.times(DAY - SECOND, HOUR))[1] == NOW + SECOND


class TestCachedKeys:
    def replaced(self, ago: timedelta, overlap: timedelta = 26 * HOUR) -> Facts:
        """Return a rotation whose spare was shown until ``ago``."""
        return running(
            Phase.REGENERATE,
            rotation(overlap=overlap),
            target("a", created=NOW - ago),
            target("b", created=NOW - ago),
            versions=(version("a", LONG_AGO, KEYS.key2),),
        )

    def test_a_key_that_was_replaced_within_an_overlap_may_be_cached(self) -> None:
        assert held(self.replaced(HOUR)) == (ActionKind.WAIT, NOW + 25 * HOUR)

    def test_until_the_end_of_the_overlap(self) -> None:
        assert held(self.replaced(26 * HOUR - SECOND))[1] == NOW + SECOND
        assert guard(self.replaced(26 * HOUR)) is None

    def test_the_overlap_is_that_of_the_operation(self) -> None:
        assert held(self.replaced(27 * HOUR, overlap=30 * HOUR))[1] == NOW + 3 * HOUR

    def test_without_an_operation_it_is_that_of_the_policy(self) -> None:
        f = self.replaced(25 * HOUR)
        idle = replace(f, record=replace(f.record, phase=Phase.IDLE, operation=None))
        assert held(idle)[1] == NOW + HOUR

    def test_the_versions_are_read_only_if_a_secret_is_younger_than_an_overlap(self) -> None:
        young, old = self.replaced(26 * HOUR - SECOND), self.replaced(26 * HOUR)
        asked = guard(replace(young, versions=None))
        assert asked is not None
        assert asked.missing.versions
        assert guard(replace(old, versions=None)) is None

    def test_one_young_secret_is_enough(self) -> None:
        f = replace(self.replaced(HOUR), versions=None)
        f = replace(f, targets=(f.targets[0], target("b")))
        assert held(f)[0] is ActionKind.ASK

    def test_another_value_that_was_replaced_does_not_matter(self) -> None:
        former = version("a", LONG_AGO, Key("d" * 32))
        f = facts(target("a", created=NOW - HOUR), versions=(former,))
        assert guard(f) is None

    def test_an_overlap_that_ends_now_is_over(self) -> None:
        other = target("b", created=NOW - HOUR)
        f = facts(
            target("a", created=NOW - 26 * HOUR),
            other,
            versions=(version("a", LONG_AGO, KEYS.key2),),
        )
        assert guard(f) is None


class TestProof:
    def test_the_published_key_is_probed_first(self) -> None:
        action = guard(replace(facts(), verdicts={}))
        assert action is not None
        assert (action.kind, action.missing.probe) == (ActionKind.ASK, (KEYS.key1,))

    def test_a_refused_one_is_looked_at_again_soon(self) -> None:
        assert held(verdicts(facts(), (KEYS.key1, REFUSED))) == (
            ActionKind.WAIT,
            NOW + 30 * SECOND,
        )

    def test_whether_the_spare_works_does_not_matter(self) -> None:
        assert guard(verdicts(facts(), (KEYS.key2, REFUSED))) is None

    def test_an_inconclusive_one_blocks_for_a_while(self) -> None:
        found = held(verdicts(facts(), (KEYS.key1, INCONCLUSIVE)))
        assert found == (ActionKind.BLOCKED, NOW + 15 * MINUTE)

    @pytest.mark.parametrize(
        ("asked", "again"), [(SECOND, 30 * SECOND), (31 * SECOND, 31 * SECOND), (HOUR, HOUR)]
    )
    def test_the_pause_that_the_data_plane_asks_for_is_kept(
        self, asked: timedelta, again: timedelta
    ) -> None:
        throttled = ProbeVerdict(ProbeResult.INCONCLUSIVE, "429", asked)
        assert held(verdicts(facts(), (KEYS.key1, throttled)))[1] == NOW + again

    def test_a_policy_may_do_without_the_proof_but_not_with_a_refused_key(self) -> None:
        lenient = replace(facts(), policy=Policy(probe=ProbePolicy.ACCEPT))
        assert guard(verdicts(lenient, (KEYS.key1, INCONCLUSIVE))) is None
        assert guard(verdicts(lenient, (KEYS.key1, REFUSED))) is not None


class TestReasonOfFailure:
    """The reason that an operator reads."""

    def reason(self, control: ProbeVerdict | None, live: ProbeVerdict, **policy: Any) -> Action:
        f = replace(facts(), control=control, policy=Policy(**policy))
        return guards.probe_failure(verdicts(f, (KEYS.key1, live)), Slot.KEY1)

    def test_a_random_key_that_is_accepted_comes_first(self) -> None:
        open_to_all = ProbeVerdict(ProbeResult.ACCEPTED, "HTTP 200")
        action = self.reason(open_to_all, REFUSED)
        assert (action.kind, action.not_before) == (ActionKind.BLOCKED, None)
        assert "random key" in action.reason
        assert "HTTP 200" in action.reason

    def test_a_refused_key_is_named(self) -> None:
        action = self.reason(REFUSED, ProbeVerdict(ProbeResult.REFUSED, "HTTP 401"))
        assert action.kind is ActionKind.WAIT
        assert "HTTP 401" in action.reason

    @pytest.mark.parametrize(
        ("control", "live", "detail"),
        [
            (ProbeVerdict(ProbeResult.INCONCLUSIVE, "of control"), ACCEPTED, "of control"),
            (ProbeVerdict(ProbeResult.INCONCLUSIVE, "of control"), INCONCLUSIVE, "no network"),
            (None, INCONCLUSIVE, "no network"),
            (None, ProbeVerdict(ProbeResult.ANSWERED, "HTTP 404"), "HTTP 404"),
        ],
    )
    def test_the_answer_that_proves_nothing_is_named(
        self, control: ProbeVerdict | None, live: ProbeVerdict, detail: str
    ) -> None:
        action = self.reason(control, live)
        assert (action.kind, action.not_before) == (ActionKind.BLOCKED, NOW + 15 * MINUTE)
        assert detail in action.reason
        assert "of control" in action.reason or detail != "of control"
        assert ("of control" in action.reason) == (detail == "of control")

    def test_only_a_strict_policy_is_told_of_the_lenient_one(self) -> None:
        assert "ROTATION_PROBE" in self.reason(REFUSED, INCONCLUSIVE).reason
        lenient = self.reason(REFUSED, INCONCLUSIVE, probe=ProbePolicy.ACCEPT)
        assert "ROTATION_PROBE" not in lenient.reason


class TestRefusedByPolicy:
    DENIED = Attempt(NOW, NOW, "ForbiddenByPolicy")

    def after(self, *history: Any) -> Action | None:
        return guards.refused_before(facts(history=history))

    def test_a_rotation_that_could_publish_nothing_holds_the_next(self) -> None:
        action = self.after(rotation(attempts={name(): self.DENIED}))
        assert action is not None
        assert (action.kind, action.not_before) == (ActionKind.BLOCKED, None)
        assert name() in action.reason

    @pytest.mark.parametrize(
        "last",
        [
            {"puts": {name("b"): PublishedVersion("v2", NOW)}},
            {"purpose": Purpose.EMERGENCY},
            {"attempts": {name(): Attempt(NOW, NOW, "Throttled")}},
            {"attempts": {}},
        ],
    )
    def test_one_that_published_or_failed_otherwise_does_not(self, last: Any) -> None:
        members = {"attempts": {name(): self.DENIED}} | last
        assert self.after(rotation(**members)) is None

    def test_only_the_last_one_counts(self) -> None:
        denied, fine = rotation(attempts={name(): self.DENIED}), rotation()
        assert self.after(denied, fine) is None
        assert self.after(fine, fine, denied) is not None

    def test_nothing_holds_the_first_one(self) -> None:
        assert self.after() is None

    def test_only_the_secrets_that_a_policy_refused_are_named(self) -> None:
        attempts = {name("a"): self.DENIED, name("b"): Attempt(NOW, NOW, "Throttled")}
        action = self.after(rotation(attempts=attempts))
        assert action is not None
        assert name("b") not in action.reason
