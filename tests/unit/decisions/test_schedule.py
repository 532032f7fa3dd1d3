"""The schedule of an account: when it is due, why, and what expiry is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import schedule
from rotation.decisions.actions import ActionKind
from rotation.decisions.facts import Facts
from rotation.domain.keys import Slot
from rotation.domain.operation import PublishedVersion
from rotation.domain.policy import Policy
from rotation.domain.request import Request, RequestKind

from .account import KEYS, NOW, emergency, facts, name, rotation, target

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
KEY1 = KEYS.key1.fingerprint("salt")
MANUAL = Request("m-1", RequestKind.MANUAL, "please", "bo", NOW)
STRICT = Policy(spread=timedelta())


def account(*expiries: Any, **record: Any) -> Facts:
    pairs = zip("abc", expiries, strict=False)
    targets = [target(n, expires=NOW + e if e is not None else None) for n, e in pairs]
    return replace(facts(*targets, **record), policy=STRICT)


class TestDue:
    def test_the_first_secret_decides(self) -> None:
        f = account(70 * DAY, 50 * DAY, 60 * DAY)
        at, why = schedule.next_due(f)
        assert at == NOW + 20 * DAY
        assert "next rotation 2026-12-18; b expires" in why

    def test_one_that_cannot_be_read_does_not(self) -> None:
        f = account(70 * DAY, 50 * DAY)
        hidden = target("b", None, readable=False, expires=NOW + 50 * DAY)
        at, _ = schedule.next_due(replace(f, targets=(f.targets[0], hidden)))
        assert at == NOW + 40 * DAY

    def test_a_person_who_asks_makes_it_due_at_once(self) -> None:
        assert schedule.next_due(account(70 * DAY, requests=(MANUAL,))) == (NOW, "please")

    @pytest.mark.parametrize("days", [30, 10])
    def test_one_that_is_due_says_why_but_no_date(self, days: int) -> None:
        _, why = schedule.next_due(account(days * DAY))
        assert "next rotation" not in why
        assert "a expires" in why

    def test_without_an_expiry_it_says_so(self) -> None:
        assert schedule.next_due(account(None))[1] == "a has no expiry"

    def test_if_the_expiry_does_not_count_the_age_does(self) -> None:
        done = rotation(puts={name("a"): PublishedVersion("v1", NOW - 9 * DAY)}, expires=NOW)
        f = account(70 * DAY, history=(done,), births={KEY1: NOW - 9 * DAY})
        at, why = schedule.next_due(f)
        assert at == NOW + 51 * DAY
        assert "a dates from 2026-11-19" in why or "dates from 2026-11-19" in why

    def test_without_a_known_age_the_expiry_is_named(self) -> None:
        done = rotation(puts={name("a"): PublishedVersion("v1", NOW - 9 * DAY)}, expires=NOW)
        f = account(70 * DAY, history=(done,))
        split = replace(f, targets=(f.targets[0], target("b", KEYS.key2, expires=NOW + 70 * DAY)))
        assert "expires" in schedule.next_due(split)[1]


class TestDated:
    def test_the_birth_is_that_of_the_published_key(self) -> None:
        births = {KEY1: NOW - DAY, KEYS.key2.fingerprint("salt"): NOW - 9 * DAY}
        f = facts(births=births)
        assert schedule.dated(f, f.targets[0]).birth == NOW - DAY
        split = facts(target("a"), target("b", KEYS.key2), births=births)
        assert schedule.dated(split, split.targets[0]).birth is None


class TestExpiry:
    """The expiry that is written with a key never starts the next rotation."""

    @pytest.mark.parametrize(
        ("age", "left"),
        [(timedelta(), 90 * DAY), (10 * DAY, 80 * DAY), (100 * DAY, 7 * DAY + 26 * HOUR)],
    )
    def test_it_is_birth_and_validity_but_at_least_a_week_and_an_overlap(
        self, age: timedelta, left: timedelta
    ) -> None:
        births = {KEY1: NOW - age, KEYS.key2.fingerprint("salt"): NOW - 40 * DAY}
        assert schedule.expiry(facts(births=births), Slot.KEY1) == NOW + left


class TestRequests:
    def test_the_first_one_of_a_person_counts(self) -> None:
        second = replace(MANUAL, id="m-2")
        f = facts(requests=(emergency(), MANUAL, second))
        assert schedule.active_request(f) == MANUAL
        assert schedule.active_request(facts(requests=(emergency(),))) is None


class TestInterval:
    def rotated(self, *ago: timedelta, **more: Any) -> Facts:
        pairs = zip("ab", ago, strict=False)
        done = [
            rotation(id=n, puts={name(n): PublishedVersion("v1", NOW - each)}) for n, each in pairs
        ]
        return replace(facts(history=tuple(done), **more), policy=Policy(minimum_interval=9 * DAY))

    def test_it_is_kept_after_the_last_rotation(self) -> None:
        action = schedule.postpone(self.rotated(5 * DAY, 2 * DAY))
        assert action is not None
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 7 * DAY)

    def test_to_the_second(self) -> None:
        assert schedule.postpone(self.rotated(9 * DAY - SECOND)) is not None
        assert schedule.postpone(self.rotated(9 * DAY)) is None

    def test_not_before_the_first_rotation(self) -> None:
        assert schedule.postpone(facts()) is None

    def test_a_person_who_asks_does_not_wait(self) -> None:
        assert schedule.postpone(self.rotated(DAY, requests=(MANUAL,))) is None
