"""A key's birth is noted once, and nothing makes it later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import births, keys
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import Intent
from rotation.domain.record import Record

from .account import ACCOUNT, KEYS, LONG_AGO, NOW, OLD, facts, target, version

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
KEY1, KEY2 = (key.fingerprint("salt") for key in (KEYS.key1, KEYS.key2))
SHOWN = {Slot.KEY1: KEY1, Slot.KEY2: KEY2}
OTHER = OLD.fingerprint("salt")


def record(**members: Any) -> Record:
    return Record(ACCOUNT, "salt", **members)


def sent(slot: Slot = Slot.KEY2, before: str = OTHER) -> Intent:
    return Intent("i", slot, before, NOW - HOUR)


class TestOfRecord:
    def test_only_current_keys_are_remembered(self) -> None:
        known = {KEY1: LONG_AGO, KEY2: NOW, OTHER: NOW}
        assert births.of_record(record(births=known), SHOWN) == {KEY1: LONG_AGO, KEY2: NOW}

    def test_our_regenerate_made_the_value_that_follows_it(self) -> None:
        assert births.of_record(record(intent=sent()), SHOWN) == {KEY2: NOW - HOUR}

    def test_not_one_that_was_there_before(self) -> None:
        assert births.of_record(record(intent=sent(before=KEY2)), SHOWN) == {}

    def test_nor_one_whose_birth_is_known(self) -> None:
        found = births.of_record(record(intent=sent(), births={KEY2: LONG_AGO}), SHOWN)
        assert found == {KEY2: LONG_AGO}


class TestNoted:
    def noted(self, *versions: Any, targets: Any = (), **more: Any) -> Any:
        f = births.noted(facts(*targets, versions=versions, **more))
        return f.record.births

    def test_it_is_the_oldest_version_that_holds_the_key(self) -> None:
        found = self.noted(
            version("a", NOW - 30 * DAY, KEYS.key1, "v-2"),
            version("b", NOW - 40 * DAY, KEYS.key1, "v-1"),
            version("a", NOW - 50 * DAY, KEYS.key2),
        )
        assert found == {KEY1: NOW - 40 * DAY}

    def test_without_versions_it_is_that_of_the_latest(self) -> None:
        f = births.noted(replace(facts(target("a"), target("b", created=NOW)), versions=None))
        assert f.record.births == {KEY1: LONG_AGO}

    def test_one_that_cannot_be_read_does_not_count(self) -> None:
        hidden = target("b", None, readable=False, created=NOW - 90 * DAY)
        assert self.noted(targets=(target("a"), hidden)) == {KEY1: LONG_AGO}

    def test_it_is_never_in_the_future(self) -> None:
        assert self.noted(targets=(target("a", created=NOW + HOUR),)) == {KEY1: NOW}

    def test_a_known_one_stays_and_others_too(self) -> None:
        known = {KEY1: NOW, KEY2: NOW}
        assert self.noted(births=known) == known
        assert self.noted(births={KEY2: NOW}) == {KEY1: LONG_AGO, KEY2: NOW}

    def test_while_the_secrets_disagree_nothing_is_noted(self) -> None:
        split = target("a"), target("b", KEYS.key2)
        f = facts(*split)
        assert births.noted(f) is f
        assert births.is_known(f)

    def test_it_is_known_once_it_is_noted(self) -> None:
        assert not births.is_known(facts())
        assert not births.is_known(facts(births={KEY2: NOW}))
        assert births.is_known(facts(births={KEY1: NOW}))

    def test_an_unknown_birth_is_now(self) -> None:
        assert births.of(facts(births={KEY1: LONG_AGO}), Slot.KEY1) == LONG_AGO
        assert births.of(facts(births={KEY1: LONG_AGO}), Slot.KEY2) == NOW


class TestKnownKeys:
    """The record remembers former keys, and who changed the present ones."""

    NEW = Keys(KEYS.key1, OLD)

    def noted(self, shown: Keys = KEYS, **members: Any) -> Record:
        return keys.noted(record(**members), shown, NOW)

    def test_the_first_listing_is_remembered(self) -> None:
        found = self.noted()
        assert (found.known_keys, found.former, found.foreign_changes) == (SHOWN, (), ())

    def test_the_same_listing_changes_nothing(self) -> None:
        found = self.noted(known_keys=SHOWN, births={OTHER: NOW, KEY1: NOW})
        assert found == record(known_keys=SHOWN, births={KEY1: NOW})

    def test_a_key_that_somebody_replaced_becomes_former(self) -> None:
        found = self.noted(self.NEW, known_keys=SHOWN, former=("x",))
        assert (found.known_keys, found.former) == (
            {Slot.KEY1: KEY1, Slot.KEY2: OTHER},
            ("x", KEY2),
        )
        assert found.foreign_changes == (NOW,)

    def test_a_former_key_that_is_shown_again_is_not_former(self) -> None:
        found = self.noted(self.NEW, known_keys=SHOWN, former=("x", OTHER, "x", KEY2))
        assert found.former == ("x", KEY2)

    def test_eight_of_them_are_kept(self) -> None:
        found = self.noted(self.NEW, known_keys=SHOWN, former=tuple("12345678"))
        assert found.former == (*"2345678", KEY2)

    @pytest.mark.parametrize(
        ("members", "foreign"),
        [
            ({}, True),
            ({"intent": sent()}, False),
            ({"intent": sent(Slot.KEY1)}, True),
            ({"quarantine": {Slot.KEY2: NOW + SECOND}}, False),
            ({"quarantine": {Slot.KEY2: NOW}}, True),
            ({"quarantine": {Slot.KEY1: NOW + HOUR}}, True),
            ({"former": (OTHER,)}, False),
        ],
    )
    def test_a_change_is_foreign_unless_it_may_be_ours(self, members: Any, foreign: bool) -> None:
        found = self.noted(self.NEW, known_keys=SHOWN, **members)
        assert bool(found.foreign_changes) is foreign

    def test_any_changed_slot_may_be_the_foreign_one(self) -> None:
        both = Keys(Key("e" * 32), OLD)
        found = self.noted(both, known_keys=SHOWN, intent=sent())
        assert found.foreign_changes == (NOW,)

    def test_the_last_three_changes_are_kept(self) -> None:
        before = tuple(NOW - days * DAY for days in (3, 2, 1))
        found = self.noted(self.NEW, known_keys=SHOWN, foreign_changes=before)
        assert found.foreign_changes == (*before[1:], NOW)

    @pytest.mark.parametrize(
        ("first", "count", "contested"),
        [(7 * DAY - SECOND, 3, True), (7 * DAY, 3, False), (DAY, 2, False), (DAY, 4, True)],
    )
    def test_three_of_them_within_a_week_are_a_contest(
        self, first: timedelta, count: int, contested: bool
    ) -> None:
        changes = (NOW - first, *[NOW] * (count - 1))
        assert keys.is_contested(record(foreign_changes=changes), NOW) is contested
