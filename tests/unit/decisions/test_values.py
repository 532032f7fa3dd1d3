"""A value is overwritten only if it is a former key of the account, or certainly no key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import values
from rotation.decisions.facts import Facts
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Phase, PublishedVersion
from rotation.domain.probing import ProbeVerdict
from rotation.domain.record import ObservedVersion, Repair
from rotation.domain.targets import Target

from .account import (
    ACCEPTED,
    INCONCLUSIVE,
    KEYS,
    NOW,
    OLD,
    REFUSED,
    facts,
    name,
    rotation,
    running,
    seen,
    target,
    verdicts,
)

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
PADDED = Key(" " + KEYS.key2.reveal() + "\n")


def told(f: Facts) -> bool | None:
    return values.overwritable(f, f.targets[0])


class TestOverwritable:
    @pytest.mark.parametrize("value", [KEYS.key1, KEYS.key2, PADDED])
    def test_a_current_key_may_be(self, value: Key) -> None:
        assert told(replace(facts(target("a", value)), verdicts={}))

    def test_not_in_a_vault_that_is_undecided(self) -> None:
        f = facts()
        assert told(replace(f, undecided=f.targets)) is False
        assert told(replace(f, undecided=f.targets[1:])) is True

    @pytest.mark.parametrize(
        ("answer", "allowed"), [(ACCEPTED, False), (REFUSED, True), (INCONCLUSIVE, False)]
    )
    def test_another_value_only_if_it_is_refused(self, answer: ProbeVerdict, allowed: bool) -> None:
        f = facts(target("a", OLD), seen={})
        assert told(verdicts(f, (OLD, answer))) is allowed

    @pytest.mark.parametrize(
        ("answer", "ago", "allowed"),
        [
            (ACCEPTED, 9 * DAY, False),
            (INCONCLUSIVE, 10 * MINUTE, True),
            (INCONCLUSIVE, 10 * MINUTE - SECOND, False),
        ],
    )
    def test_or_after_ten_minutes_unless_it_works(
        self, answer: ProbeVerdict, ago: timedelta, allowed: bool
    ) -> None:
        """A value that works is never overwritten, also if it is not a key of the account."""
        f = facts(target("a", OLD), seen={name("a"): seen(OLD, since=NOW - ago)})
        assert told(verdicts(f, (OLD, answer))) is allowed

    def test_it_is_probed_first(self) -> None:
        assert told(replace(facts(target("a", OLD)), verdicts={})) is None

    def test_a_disabled_version_must_have_been_read_or_be_ours(self) -> None:
        disabled = target("a", None)
        assert told(facts(disabled)) is True
        assert told(facts(disabled, seen={})) is False
        assert told(facts(disabled, seen={name("a"): seen(version="v0")})) is False
        assert told(facts(disabled, seen={name("a"): ObservedVersion("v1", "")})) is False
        for of, ours in [("v1", True), ("v2", False)]:
            op = rotation(puts={name("a"): PublishedVersion(of, NOW)})
            assert told(running(Phase.PUBLISH, op, disabled, seen={})) is ours


class TestTrimmed:
    def test_blanks_around_a_key_do_not_hide_it(self) -> None:
        f = facts()
        assert values.trimmed_slot(f, target("a", PADDED)) is Slot.KEY2
        assert values.trimmed_slot(f, target("a", KEYS.key2)) is None
        assert values.trimmed_slot(f, target("a", Key(" x "))) is None
        assert values.trimmed_slot(f, target("a", None)) is None


class TestUnproven:
    def test_unknown_values_are_probed_together_with_both_keys(self) -> None:
        f = replace(facts(target("a", OLD), target("b"), target("c", None)), verdicts={})
        assert values.unproven(f, f.targets) == (OLD, KEYS.key1, KEYS.key2)

    def test_nothing_is_probed_for_known_values(self) -> None:
        f = facts(target("a", OLD), target("b"))
        assert values.unproven(f, f.targets) == ()


class TestWorks:
    @pytest.mark.parametrize(
        ("value", "answer", "works"),
        [
            (OLD, ACCEPTED, True),
            (OLD, REFUSED, False),
            (KEYS.key1, ACCEPTED, False),
            (PADDED, ACCEPTED, False),
            (None, ACCEPTED, False),
        ],
    )
    def test_only_a_value_that_is_neither_key_counts(
        self, value: Key | None, answer: ProbeVerdict, works: bool
    ) -> None:
        f = facts(target("a", value))
        f = verdicts(f, (value, answer)) if value else f
        assert values.works(f, f.targets[0]) is works

    def test_one_that_was_not_probed_is_not_known_to_work(self) -> None:
        f = replace(facts(target("a", OLD)), verdicts={})
        assert values.works(f, f.targets[0]) is False


class TestStrays:
    def strays(self, answer: ProbeVerdict = ACCEPTED, **known: Any) -> Facts:
        before = seen(OLD, **({"since": NOW - 10 * MINUTE} | known))
        shown: tuple[Target, ...] = target("a", OLD), target("b")
        f = facts(*shown, seen={name("a"): before}, notes={name("b"): "a note"})
        return values.without_strays(verdicts(f, (OLD, answer)))

    def test_a_value_that_works_for_a_while_is_set_aside(self) -> None:
        f = self.strays()
        assert [t.id.name for t in f.strays] == ["a"]
        assert [t.id.name for t in f.targets] == ["b"]
        assert list(f.record.notes) == [name("b"), name("a")]

    @pytest.mark.parametrize(
        ("answer", "known"),
        [
            (REFUSED, {}),
            (ACCEPTED, {"since": NOW - 10 * MINUTE + SECOND}),
            (ACCEPTED, {"since": None}),
            (ACCEPTED, {"version": "v0"}),
        ],
    )
    def test_otherwise_it_is_not(self, answer: ProbeVerdict, known: Any) -> None:
        f = self.strays(answer, **known)
        assert not f.strays
        assert len(f.targets) == 2
        assert len(f.record.notes) == 1

    def test_nor_one_that_nobody_saw_before(self) -> None:
        f = verdicts(facts(target("a", OLD), seen={}), (OLD, ACCEPTED))
        assert values.without_strays(f) is f


class TestRepairs:
    @pytest.mark.parametrize(
        ("count", "delay"),
        [(2, None), (3, 15), (4, 30), (5, 60), (9, 960), (10, 1440), (13, 1440), (99, 1440)],
    )
    def test_the_delay_doubles_up_to_a_day(self, count: int, delay: int | None) -> None:
        until = values.repairable_from(Repair(count, NOW))
        assert until == (NOW + delay * MINUTE if delay else None)

    def test_the_first_is_free(self) -> None:
        assert values.repairable_from(None) is None
