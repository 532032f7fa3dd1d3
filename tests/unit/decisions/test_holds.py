"""A secret may hold scheduled work, for at most seven days, and its account for fourteen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import holds
from rotation.decisions.actions import ActionKind
from rotation.decisions.facts import Facts
from rotation.domain.errors import Transient
from rotation.domain.membership import Member
from rotation.domain.operation import Phase, PublishedVersion, Purpose
from rotation.domain.policy import Policy
from rotation.domain.record import Hold, Repair
from rotation.domain.request import Request, RequestKind
from rotation.domain.targets import Enrolment, Target
from rotation.domain.window import parse

from .account import (
    ACCEPTED,
    ACCOUNT,
    KEYS,
    LONG_AGO,
    NOW,
    OLD,
    facts,
    name,
    rotation,
    running,
    target,
    verdicts,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPENT = {name("a"): Hold(None, 7 * DAY)}
KEY1, KEY2 = (key.fingerprint("salt") for key in (KEYS.key1, KEYS.key2))
MANUAL = Request("m-1", RequestKind.MANUAL, "please", "bo", NOW)
HIDDEN = target("a", None, readable=False)
OPEN, LATER = parse("* 00:00-24:00"), parse("* 13:00-14:00")  # it is noon


def asks(paused: bool = False, window: Any = None) -> Enrolment:
    return Enrolment(ACCOUNT, validity=90 * DAY, paused=paused, window=window)


def due(*targets: Target, **more: Any) -> Facts:
    """Return an idle account whose rotation is due: its secrets expire in three days."""
    members = {name: more.pop(name) for name in ("withdrawn", "policy") if name in more}
    found = tuple(replaced(t) for t in targets or (target("a"), target("b")))
    return replace(facts(*found, **more), **members)


def replaced(shown: Target) -> Target:
    return target(
        shown.id.name,
        shown.value,
        version=shown.version,
        created=shown.created,
        readable=shown.readable,
        enrolment=shown.enrolment,
        expires=NOW + 3 * DAY,
    )


def held(f: Facts) -> set[str]:
    """Return the short names of what holds the next step now; the account's own is ``account``."""
    record = holds.counted(f).record
    return {n.rpartition("/")[2] or "account" for n, spell in record.held.items() if spell.since}


class TestCounting:
    def test_a_spell_begins_when_the_step_is_ready(self) -> None:
        record = holds.counted(due(HIDDEN, target("b"))).record
        assert record.held == {name("a"): Hold(NOW), "": Hold(NOW)}

    def test_it_goes_on_and_is_over_when_nothing_holds_it(self) -> None:
        before = {name("a"): Hold(NOW - HOUR), "": Hold(NOW - HOUR, DAY)}
        assert holds.counted(due(HIDDEN, target("b"), held=before)).record.held == before
        over = holds.counted(due(held=before)).record.held
        assert over == {name("a"): Hold(None, HOUR), "": Hold(None, DAY + HOUR)}

    def test_the_accounts_spell_goes_on_while_any_secret_holds_it(self) -> None:
        before = {name("b"): Hold(NOW - HOUR), "": Hold(NOW - HOUR)}
        found = holds.counted(due(HIDDEN, target("b"), held=before)).record.held
        assert found == {
            "": Hold(NOW - HOUR),
            name("a"): Hold(NOW),
            name("b"): Hold(None, HOUR),
        }

    def test_an_account_that_nothing_held_gets_no_spell(self) -> None:
        found = holds.counted(due(held={name("a"): Hold(NOW - HOUR)})).record.held
        assert found == {name("a"): Hold(None, HOUR)}

    def test_without_any_the_record_stays_as_it_is(self) -> None:
        f = due()
        assert holds.counted(f) is f

    @pytest.mark.parametrize(
        ("purpose", "counts"),
        [
            (Purpose.ROTATE, True),
            (Purpose.FINISH, True),
            (Purpose.REPAIR, False),
            (Purpose.EMERGENCY, False),
        ],
    )
    def test_only_scheduled_work_is_held(self, purpose: Purpose, counts: bool) -> None:
        f = running(Phase.REGENERATE, rotation(purpose=purpose), HIDDEN, target("b"))
        assert bool(held(f)) is counts


class TestReady:
    """A hold counts from when the step could be done but for it."""

    def test_before_the_rotation_is_due_nothing_is_held(self) -> None:
        assert not held(facts(HIDDEN, target("b")))
        assert held(facts(HIDDEN, target("b"), requests=(MANUAL,)))

    def test_a_rotation_is_due_to_the_second(self) -> None:
        for early, counts in [(timedelta(), True), (SECOND, False)]:
            shown = target("b", expires=NOW + 30 * DAY + early)
            f = replace(facts(HIDDEN, shown), policy=Policy(spread=timedelta()))
            assert bool(held(f)) is counts

    def test_nor_within_the_minimum_interval(self) -> None:
        done = rotation(puts={name("b"): PublishedVersion("v1", NOW - 8 * DAY)}, ended_at=NOW)
        f = due(HIDDEN, target("b"), history=(done,), policy=Policy(minimum_interval=9 * DAY))
        assert not held(f)
        assert held(replace(f, policy=Policy()))

    def test_if_no_secret_can_be_read_it_is(self) -> None:
        assert held(facts(HIDDEN)) == {"a", "account"}

    @pytest.mark.parametrize("at", [Phase.OVERLAP, Phase.REVOKE])
    def test_nor_before_the_overlap_is_over(self, at: Phase) -> None:
        for ago, counts in [(26 * HOUR, True), (26 * HOUR - SECOND, False)]:
            shown = target("b", KEYS.key2, created=NOW - ago)
            assert bool(held(running(at, rotation(), HIDDEN, shown))) is counts

    def test_other_phases_are_ready_at_once(self) -> None:
        assert held(running(Phase.PUBLISH, rotation(), HIDDEN, target("b", KEYS.key2)))


class TestWhatHolds:
    def test_a_secret_that_cannot_be_read(self) -> None:
        assert held(due(HIDDEN, target("b"))) == {"a", "account"}

    def test_one_that_is_disabled_with_an_unknown_key(self) -> None:
        assert held(due(target("a", None, version="v9"), target("b"))) == {"a", "account"}
        assert not held(due(target("a", None), target("b")))

    def test_one_that_is_paused_but_not_if_all_of_them_are(self) -> None:
        paused = target("a", enrolment=asks(paused=True))
        assert held(due(paused, target("b"))) == {"a", "account"}
        assert not held(due(paused, target("b", enrolment=asks(paused=True))))

    def test_one_outside_its_window(self) -> None:
        late, now = (target("a", enrolment=asks(window=w)) for w in (LATER, OPEN))
        assert held(due(late, target("b"))) == {"a", "account"}
        assert not held(due(now, target("b")))

    def test_pauses_and_windows_hold_only_the_begin(self) -> None:
        paused = target("a", enrolment=asks(paused=True, window=LATER))
        assert not held(running(Phase.REGENERATE, rotation(), paused, target("b")))

    @pytest.mark.parametrize(
        ("at", "value", "holds_it"),
        [
            (Phase.IDLE, KEYS.key2, True),
            (Phase.IDLE, KEYS.key1, False),
            (Phase.REGENERATE, KEYS.key2, True),
            (Phase.REGENERATE, KEYS.key1, False),
            (Phase.VERIFY, KEYS.key2, False),
            (Phase.PUBLISH, KEYS.key1, False),
            (Phase.OVERLAP, KEYS.key1, True),
            (Phase.OVERLAP, KEYS.key2, False),
            (Phase.REVOKE, KEYS.key1, True),
            (Phase.PROVE, KEYS.key1, False),
        ],
    )
    def test_a_withdrawn_one_that_shows_the_key_to_regenerate(
        self, at: Phase, value: Any, holds_it: bool
    ) -> None:
        gone = (target("c", value),)
        if at is Phase.IDLE:
            f = due(withdrawn=gone)
        else:
            shown = KEYS.key1 if at in (Phase.REGENERATE, Phase.VERIFY) else KEYS.key2
            f = running(at, rotation(), target("a", shown), target("b", shown))
            f = replace(f, withdrawn=gone)
        assert held(f) == ({"c", "account"} if holds_it else set())

    def test_while_the_secrets_disagree_no_withdrawn_one_does(self) -> None:
        f = due(target("a"), target("b", KEYS.key2), withdrawn=(target("c", KEYS.key2),))
        assert "c" not in held(f)

    def test_a_withdrawn_one_that_shows_neither_key_holds_nothing(self) -> None:
        f = running(Phase.VERIFY, rotation(), target("a"), target("b"))
        assert not held(replace(f, withdrawn=(target("c", OLD),)))

    def test_once_published_one_that_lacks_the_key_holds_only_while_it_is_published(self) -> None:
        done = target("b", KEYS.key2)
        assert held(running(Phase.PUBLISH, rotation(), target("a"), done)) == {"a", "account"}
        assert not held(running(Phase.OVERLAP, rotation(), target("a"), done))
        assert not held(running(Phase.PUBLISH, rotation(), done))

    def test_or_while_it_is_overwritten_again_and_again(self) -> None:
        often = {name("a"): PublishedVersion("v1", NOW, times=4)}
        done = target("b", KEYS.key2, created=LONG_AGO)
        f = running(Phase.OVERLAP, rotation(puts=often), target("a"), done)
        assert held(f) == {"a", "account"}

    def test_or_if_it_was_left_behind(self) -> None:
        op = rotation(left_behind=(name("a"),))
        f = running(Phase.OVERLAP, op, target("a"), target("b", KEYS.key2))
        assert held(f) == {"a", "account"}

    def test_a_broken_one_only_while_it_must_not_be_repaired(self) -> None:
        broken = due(target("a", OLD), target("b"))
        assert not held(broken)
        assert held(verdicts(broken, (OLD, ACCEPTED))) == {"a", "account"}
        often = {name("a"): Repair(3, NOW)}
        assert held(due(target("a", OLD), target("b"), repairs=often)) == {"a", "account"}

    def test_one_on_another_key_only_while_it_must_not_be_repaired(self) -> None:
        split = target("a"), target("b", KEYS.key2)
        often = {name("b"): Repair(3, NOW)}
        assert held(due(*split, published=KEY1, repairs=often)) == {"b", "account"}
        assert not held(due(*split, published=KEY1))
        assert not held(due(*split, published=KEY2, repairs=often))


class TestBound:
    def ends(self, f: Facts) -> timedelta:
        return holds.ends(f, f.targets[0]) - NOW

    def test_it_is_seven_days_for_a_secret_with_all_its_spells(self) -> None:
        assert self.ends(due()) == 7 * DAY
        assert self.ends(due(held={name("a"): Hold(NOW - DAY, 2 * DAY)})) == 4 * DAY

    def test_and_fourteen_for_the_account(self) -> None:
        assert self.ends(due(held={"": Hold(None, 8 * DAY)})) == 6 * DAY
        assert self.ends(due(held={"": Hold(None, 6 * DAY)})) == 7 * DAY

    @pytest.mark.parametrize(("age", "left"), [(80, 7), (85, 4), (88, 1), (89, 1), (200, 1)])
    def test_a_key_that_is_nearly_too_old_shortens_it_to_no_less_than_a_day(
        self, age: int, left: int
    ) -> None:
        """Its validity is 90 days, and consumers need the overlap."""
        f = due(births={KEY1: NOW - age * DAY}, policy=Policy(overlap=DAY))
        assert self.ends(f) == left * DAY

    def test_that_day_counts_from_the_first_spell(self) -> None:
        spent = {name("a"): Hold(None, 5 * HOUR)}
        f = due(births={KEY1: NOW - 200 * DAY}, held=spent)
        assert self.ends(f) == 19 * HOUR

    def test_the_old_key_is_the_one_that_the_operation_revokes(self) -> None:
        births = {KEY1: NOW - 200 * DAY, KEY2: NOW}
        shown = target("a", KEYS.key2), target("b", KEYS.key2)
        f = running(Phase.OVERLAP, rotation(), *shown, births=births)
        assert self.ends(f) == DAY
        f = running(Phase.OVERLAP, rotation(revoke=None), *shown, births=births)
        assert self.ends(f) == 7 * DAY

    def test_a_hold_counts_until_then_unless_it_was_released(self) -> None:
        for spent, counts in [(7 * DAY - SECOND, True), (7 * DAY, False)]:
            f = due(held={name("a"): Hold(None, spent)})
            assert holds.counts(f, f.targets[0]) is counts
        for released in (True, False):
            f = due(members={name("a"): Member(LONG_AGO, released=released)})
            assert holds.counts(f, f.targets[0]) is not released


class TestLeftBehind:
    def left(self, f: Facts) -> list[str]:
        found = holds.without_left_behind(f)
        assert len(found.targets) + len(found.left_behind) == len(f.targets)
        return [t.id.name for t in found.left_behind]

    def test_a_secret_that_held_too_long_is_left(self) -> None:
        f = due(HIDDEN, target("b"), held=SPENT)
        errors = {HIDDEN.id: Transient("x", code="y"), target("b").id: Transient("x", code="y")}
        found = holds.without_left_behind(replace(f, read_errors=errors))
        assert [t.id.name for t in found.left_behind] == ["a"]
        assert [t.id.name for t in found.targets] == ["b"]
        assert list(found.read_errors) == [target("b").id]
        assert found.record == f.record

    def test_one_that_does_not_hold_or_not_too_long_is_not(self) -> None:
        assert self.left(due(held=SPENT)) == []
        assert self.left(due(HIDDEN, target("b"))) == []

    def test_an_emergency_and_a_repair_leave_none(self) -> None:
        for purpose in (Purpose.EMERGENCY, Purpose.REPAIR):
            op = rotation(purpose=purpose)
            f = running(Phase.REGENERATE, op, HIDDEN, target("b"), held=SPENT)
            assert self.left(f) == []

    def test_if_no_other_can_be_read_it_stays(self) -> None:
        assert self.left(due(HIDDEN, held=SPENT)) == []
        working = verdicts(due(target("a", OLD), held=SPENT), (OLD, ACCEPTED))
        assert self.left(working) == []

    def test_once_published_another_one_must_show_the_new_key(self) -> None:
        op = rotation()
        for value, expected in [(KEYS.key2, ["a"]), (KEYS.key1, [])]:
            f = running(Phase.PUBLISH, op, HIDDEN, target("b", value), held=SPENT)
            assert self.left(f) == expected

    def test_one_that_was_left_stays_behind_in_this_operation(self) -> None:
        op = rotation(left_behind=(name("a"),))
        done = target("b", KEYS.key2)
        assert self.left(running(Phase.OVERLAP, op, target("a"), done)) == ["a"]
        assert self.left(running(Phase.OVERLAP, rotation(), target("a"), done)) == []

    def test_it_is_told_once(self) -> None:
        f = running(Phase.REGENERATE, rotation(), HIDDEN, target("b"), held=SPENT)
        found = holds.without_left_behind(f)
        assert found.operation.left_behind == (name("a"),)
        assert [n.type for n in found.record.outbox] == ["failed"]
        data = found.record.outbox[0].data
        assert (data["operation"], data["of"]) == ("op-1", "left-behind-a")
        assert data["account"] == str(ACCOUNT)
        assert name("a") in data["error"]
        assert list(found.record.notes) == [name("a")]
        again = holds.without_left_behind(replace(f, record=found.record))
        assert len(again.record.outbox) == 1

    def test_the_former_ones_and_the_notes_stay(self) -> None:
        op = rotation(left_behind=(name("z"),))
        notes = {name("b"): "a note"}
        f = running(Phase.REGENERATE, op, HIDDEN, target("b"), held=SPENT, notes=notes)
        found = holds.without_left_behind(f)
        assert found.operation.left_behind == (name("z"), name("a"))
        assert found.record.notes[name("b")] == "a note"

    def test_one_that_was_told_is_not_told_again(self) -> None:
        op = rotation(left_behind=(name("a"),))
        f = running(Phase.REGENERATE, op, HIDDEN, target("b"), held=SPENT)
        found = holds.without_left_behind(f)
        assert not found.record.outbox
        assert found.operation.left_behind == (name("a"),)


class TestPaused:
    def paused(self, *names: str, **more: Any) -> Any:
        secrets = [target(n, enrolment=asks(paused=n in names)) for n in "ab"]
        return holds.paused(due(*secrets, **more))

    def test_one_of_them_blocks_for_seven_days(self) -> None:
        action = self.paused("a")
        assert (action.kind, action.not_before) == (ActionKind.BLOCKED, NOW + 7 * DAY)
        assert action.failure is None
        assert "a: paused" in action.reason

    def test_the_first_that_ends_decides(self) -> None:
        secrets = [target(n, enrolment=asks(paused=n != "c")) for n in "abc"]
        action = holds.paused(due(*secrets, held={name("b"): Hold(None, DAY)}))
        assert action is not None
        assert action.not_before == NOW + 6 * DAY

    def test_after_seven_days_it_does_not_count(self) -> None:
        assert self.paused("a", held={name("a"): Hold(None, 7 * DAY)}) is None

    def test_all_of_them_block_without_a_bound(self) -> None:
        action = self.paused("a", "b", held={name("a"): Hold(None, 7 * DAY)})
        assert (action.kind, action.not_before) == (ActionKind.BLOCKED, None)
        assert "a, b" in action.reason

    def test_none_of_them_blocks_nothing(self) -> None:
        assert self.paused() is None

    @pytest.mark.parametrize(("age", "alerts"), [(90 * DAY - SECOND, False), (90 * DAY, True)])
    def test_an_account_that_is_paused_longer_than_its_keys_validity_alerts(
        self, age: timedelta, alerts: bool
    ) -> None:
        action = self.paused("a", "b", births={KEY1: NOW - age})
        assert (action.failure is not None) is alerts
        assert not alerts or action.failure.code == "PausedTooLong"

    def test_not_while_the_published_key_is_not_known(self) -> None:
        paused = asks(paused=True)
        old = {KEY1: NOW - 200 * DAY, KEY2: NOW - 200 * DAY}
        shown = target("a", enrolment=paused), target("b", KEYS.key2, enrolment=paused)
        f = due(*shown, births=old)
        action = holds.paused(f)
        assert action is not None
        assert action.failure is None

    def test_one_that_cannot_be_read_asks_for_nothing(self) -> None:
        hidden = target("a", None, readable=False, enrolment=asks(paused=True))
        assert holds.paused(due(hidden, target("b"))) is None


class TestWindows:
    def outside(self, *windows: Any, **more: Any) -> Any:
        pairs = zip("abc", windows, strict=False)
        secrets = [target(n, enrolment=asks(window=w)) for n, w in pairs]
        expires = more.pop("expires", NOW + 60 * DAY)
        f = due(*secrets, **more)
        secrets = [msg(t, expires) for t in f.targets]
        return holds.outside_windows(replace(f, targets=tuple(secrets)))

    def test_it_waits_until_the_window_opens(self) -> None:
        action = self.outside(LATER, None)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + HOUR)

    def test_an_open_one_or_none_holds_nothing(self) -> None:
        assert self.outside(OPEN) is None
        assert self.outside(None) is None

    def test_a_person_who_asks_is_not_held(self) -> None:
        assert self.outside(LATER, requests=(MANUAL,)) is None

    def test_all_of_them_must_be_open(self) -> None:
        late, later = parse("* 13:00-15:00"), parse("* 14:00-16:00")
        assert self.outside(late, later).not_before == NOW + 2 * HOUR
        assert self.outside(later, late).not_before == NOW + 2 * HOUR

    def test_if_they_never_are_one_of_them_is_enough(self) -> None:
        never = parse("* 13:00-14:00"), parse("* 15:00-16:00")
        assert self.outside(*never).not_before > NOW

    def test_a_secret_that_held_too_long_does_not_count(self) -> None:
        assert self.outside(LATER, held={name("a"): Hold(None, 7 * DAY)}) is None

    def test_it_is_decided_again_when_a_hold_ends(self) -> None:
        spent = {name("a"): Hold(None, 7 * DAY - 5 * MINUTE)}
        assert self.outside(LATER, held=spent).not_before == NOW + 5 * MINUTE
        spent = {name("b"): Hold(None, 7 * DAY - 5 * MINUTE)}
        assert self.outside(LATER, OPEN, held=spent).not_before == NOW + HOUR

    @pytest.mark.parametrize(
        ("expires", "waits"), [(HOUR, False), (HOUR + SECOND, True), (timedelta(), False)]
    )
    def test_a_secret_that_expires_before_does_not_wait(
        self, expires: timedelta, waits: bool
    ) -> None:
        assert (self.outside(LATER, expires=NOW + expires) is not None) is waits

    def test_without_an_expiry_it_waits_for_at_most_thirty_days(self) -> None:
        assert self.outside(LATER, expires=None) is not None
        done = rotation(puts={name("a"): PublishedVersion("v1", LONG_AGO)}, expires=NOW + DAY)
        assert self.outside(LATER, expires=NOW, history=(done,)) is not None


def msg(shown: Target, expires: Any) -> Target:
    return target(shown.id.name, shown.value, enrolment=shown.enrolment, expires=expires)


class TestResting:
    """After three publishes in a row the next one waits longer each time."""

    @pytest.mark.parametrize(
        ("times", "ago", "rests"),
        [
            (3, timedelta(), False),
            (4, 15 * MINUTE - SECOND, True),
            (4, 15 * MINUTE, False),
            (5, 29 * MINUTE, True),
        ],
    )
    def test_in_an_operation_its_own_publishes_count(
        self, times: int, ago: timedelta, rests: bool
    ) -> None:
        puts = {name("a"): PublishedVersion("v1", NOW - ago, times=times)}
        f = running(Phase.PUBLISH, rotation(puts=puts))
        assert holds.is_resting(f, f.targets[0]) is rests

    def test_else_the_repairs_of_the_record(self) -> None:
        often = {name("a"): Repair(3, NOW)}
        for f in (facts(repairs=often), running(Phase.PUBLISH, rotation(), repairs=often)):
            assert holds.resting_until(f, f.targets[0]) == NOW + 15 * MINUTE
            assert holds.resting_until(f, f.targets[1]) is None


class TestAstray:
    def test_a_secret_on_another_key_than_ours_is_on_the_wrong_one(self) -> None:
        split = target("a"), target("b", KEYS.key2)
        f = facts(*split, published=KEY1)
        assert [holds.is_astray(f, t) for t in f.targets] == [False, True]

    def test_not_if_all_show_it(self) -> None:
        f = facts(published=KEY2)
        assert not holds.is_astray(f, f.targets[0])

    def test_nor_one_that_shows_neither(self) -> None:
        for ours in (KEY1, KEY2):
            f = facts(target("a", OLD), target("b"), published=ours)
            assert not holds.is_astray(f, f.targets[0])
