"""An overlap counts from the first version with the new key; rewriting delays it within bounds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.facts import Facts
from rotation.decisions.overlaps import cached_until, may_be_earlier, overlap_end
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Phase, PublishedVersion
from rotation.domain.targets import Target, Version

from .account import KEYS, LONG_AGO, NOW, OLD, facts, name, rotation, running, seen, target, version

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
OVERLAP = 26 * HOUR


def shows(secret: str, ago: timedelta, **more: Any) -> Target:
    """Return a secret with the new key in version v2."""
    return target(secret, KEYS.key2, created=NOW - ago, version="v2", **more)


def put(ago: timedelta, first: timedelta | None = None, of: str = "v2") -> PublishedVersion:
    return PublishedVersion(of, NOW - ago, NOW - first if first is not None else None)


def overlapping(*targets: Target, versions: tuple[Version, ...] = (), **op: Any) -> Facts:
    return running(Phase.OVERLAP, rotation(**op), *targets, versions=versions)


def began(f: Facts) -> timedelta:
    """Return how long ago the overlap began."""
    return NOW + OVERLAP - overlap_end(f)


class TestStart:
    def test_the_last_secret_that_got_the_key_decides(self) -> None:
        assert began(overlapping(shows("a", 3 * HOUR), shows("b", HOUR))) == HOUR

    def test_a_secret_with_another_key_does_not(self) -> None:
        other = target("b", created=NOW)
        assert began(overlapping(shows("a", HOUR), other)) == HOUR

    def test_nor_one_that_cannot_be_read(self) -> None:
        f = overlapping(shows("a", HOUR), target("b", None, readable=False, created=NOW))
        f = replace(f, record=replace(f.record, seen={}))
        assert began(f) == HOUR

    def test_if_none_shows_it_our_last_publish_decides(self) -> None:
        puts = {name("a"): put(3 * HOUR), name("b"): put(2 * HOUR)}
        assert began(overlapping(puts=puts)) == 2 * HOUR

    def test_and_before_any_the_begin_of_the_phase(self) -> None:
        assert began(overlapping(phase_since=NOW - 5 * HOUR)) == 5 * HOUR

    def test_the_overlap_is_that_of_the_operation(self) -> None:
        assert overlap_end(overlapping(shows("a", HOUR), overlap=5 * HOUR)) == NOW + 4 * HOUR
        puts = {name("a"): put(3 * HOUR)}
        assert overlap_end(overlapping(puts=puts, overlap=5 * HOUR)) == NOW + 2 * HOUR


class TestRewrites:
    def rewritten(self, *versions: tuple[int, Key | None], secret: str = "a") -> Facts:
        """Return a secret that was rewritten an hour ago, with versions of some hours ago."""
        found = [
            version(secret, NOW - hours * HOUR, value, f"v-{number}")
            for number, (hours, value) in enumerate(versions)
        ]
        return overlapping(shows("a", HOUR), versions=tuple(found))

    def test_the_same_value_again_does_not_start_it_again(self) -> None:
        assert began(self.rewritten((3, KEYS.key2), (2, KEYS.key2))) == 3 * HOUR

    @pytest.mark.parametrize("value", [KEYS.key1, OLD, None])
    def test_another_value_between_does(self, value: Key | None) -> None:
        assert began(self.rewritten((4, KEYS.key2), (3, value), (2, KEYS.key2))) == 2 * HOUR

    def test_two_values_of_one_second_have_no_order(self) -> None:
        found = self.rewritten((3, KEYS.key2), (2, KEYS.key2), (2, OLD))
        assert began(found) == HOUR

    def test_two_disabled_versions_are_not_known_to_hold_one_value(self) -> None:
        disabled = target("a", None, created=NOW - HOUR, version="v2")
        f = overlapping(disabled, versions=(version("a", NOW - 3 * DAY, None),))
        known = {name("a"): seen(KEYS.key2, "v2")}
        assert began(replace(f, record=replace(f.record, seen=known))) == HOUR

    def test_not_even_if_one_of_them_is_the_latest(self) -> None:
        assert began(self.rewritten((3, KEYS.key2), (1, OLD))) == HOUR

    def test_versions_of_other_secrets_do_not_matter(self) -> None:
        assert began(self.rewritten((3, KEYS.key2), secret="c")) == HOUR

    def test_nor_do_newer_ones(self) -> None:
        """They were written between two readings."""
        assert began(self.rewritten((0, OLD), (2, KEYS.key2))) == 2 * HOUR

    def test_the_order_of_the_listing_does_not_matter(self) -> None:
        assert began(self.rewritten((2, KEYS.key2), (4, OLD), (3, KEYS.key2))) == 3 * HOUR


class TestBounds:
    def test_a_secret_delays_it_by_at_most_seven_days_after_our_first_publish(self) -> None:
        puts = {name("a"): put(timedelta(), first=8 * DAY)}
        assert began(overlapping(shows("a", HOUR), puts=puts)) == DAY
        puts = {name("a"): put(8 * DAY)}
        assert began(overlapping(shows("a", HOUR), puts=puts)) == DAY

    def test_within_them_it_counts_in_full(self) -> None:
        puts = {name("a"): put(timedelta(), first=7 * DAY)}
        assert began(overlapping(shows("a", HOUR), puts=puts)) == HOUR

    def test_all_of_them_delay_it_by_at_most_fourteen_days_after_the_first(self) -> None:
        puts = {name("a"): put(HOUR, first=15 * DAY), name("b"): put(HOUR, first=2 * DAY)}
        assert began(overlapping(shows("b", HOUR), puts=puts)) == DAY
        puts = {name("a"): put(15 * DAY), name("b"): put(HOUR)}
        assert began(overlapping(shows("b", HOUR), puts=puts)) == DAY


class TestEarlier:
    """The versions are read only if they may show an earlier end."""

    def asked(self, *targets: Target, **more: Any) -> bool:
        f = overlapping(*targets, puts={name("a"): put(HOUR)})
        return may_be_earlier(replace(f, **{"versions": None, **more}))

    def test_a_version_that_we_published_shows_no_earlier_one(self) -> None:
        assert not self.asked(shows("a", HOUR))

    def test_another_version_may(self) -> None:
        assert self.asked(replace_version(shows("a", HOUR), "v3"))

    def test_so_may_a_secret_to_which_we_did_not_publish(self) -> None:
        assert self.asked(shows("a", HOUR), shows("b", HOUR))

    def test_one_that_cannot_be_read_may_not(self) -> None:
        assert not self.asked(shows("a", HOUR), shows("b", HOUR, readable=False))

    def test_they_are_read_once(self) -> None:
        assert not self.asked(shows("b", HOUR), versions=())


def replace_version(found: Target, of: str) -> Target:
    return target(found.id.name, found.value, created=found.created, version=of)


class TestCached:
    """Consumers may hold a slot's key for an overlap after a newer version replaced it."""

    def until(self, *versions: Version, **more: Any) -> datetime | None:
        f = facts(target("a", created=NOW), target("b", created=NOW - HOUR), versions=versions)
        return cached_until(replace(f, **more), Slot.KEY2, OVERLAP)

    def test_a_key_that_was_never_published_is_not_cached(self) -> None:
        assert self.until(version("a", LONG_AGO, OLD)) is None

    def test_the_next_version_replaced_it(self) -> None:
        found = self.until(
            version("a", NOW - 5 * HOUR, KEYS.key2, "v-1"), version("a", NOW - 3 * HOUR, OLD)
        )
        assert found == NOW - 3 * HOUR + OVERLAP

    def test_the_last_replacement_of_any_secret_counts(self) -> None:
        found = self.until(
            version("a", NOW - 5 * HOUR, KEYS.key2, "v-1"),
            version("a", NOW - 3 * HOUR, OLD),
            version("b", NOW - 5 * HOUR, KEYS.key2),
        )
        assert found == NOW - HOUR + OVERLAP

    def test_one_secret_delays_it_by_at_most_seven_days_after_the_first(self) -> None:
        """Else changes to and fro would go on for ever."""
        found = self.until(
            version("a", NOW - 9 * DAY, KEYS.key2, "v-2"),
            version("a", NOW - 8 * DAY, OLD, "v-1"),
            version("a", NOW - 2 * DAY, KEYS.key2),
        )
        assert found == NOW - DAY + OVERLAP

    def test_a_secret_whose_value_is_foreign_counts_too(self) -> None:
        foreign = target("c", Key("{}"), created=NOW)
        found = self.until(
            version("c", NOW - 5 * HOUR, KEYS.key2, "v-1"),
            version("c", NOW - 3 * HOUR, None),
            foreign=(foreign,),
        )
        assert found == NOW - 3 * HOUR + OVERLAP

    def test_a_version_that_was_disabled_before_it_was_read_may_hold_it(self) -> None:
        found = self.until(version("a", NOW - 5 * HOUR, None, "v-1"), version("a", NOW - HOUR, OLD))
        assert found == NOW - HOUR + OVERLAP

    def test_not_if_it_is_older_than_the_key_or_still_the_latest(self) -> None:
        hidden = version("a", NOW - 5 * HOUR, None, "v-1")
        fingerprint = KEYS.key2.fingerprint("salt")
        younger = replace(facts().record, births={fingerprint: NOW - 4 * HOUR})
        assert self.until(hidden, version("a", NOW - HOUR, OLD), record=younger) is None
        latest = target("a", None, created=NOW - HOUR)
        assert (
            self.until(targets=(latest,), versions=(version("a", latest.created, None, "v1"),))
            is None
        )

    def test_hidden_versions_delay_it_by_at_most_seven_days_after_the_first(self) -> None:
        days = (version("a", NOW - n * DAY, None, f"v-{n}") for n in range(1, 30))
        assert self.until(*days) == NOW - DAY + OVERLAP

    def test_all_of_them_delay_it_by_at_most_fourteen_days_after_our_first_publish(self) -> None:
        versions = (version("a", LONG_AGO, KEYS.key2),)
        puts = {name("b"): put(15 * DAY)}
        f = overlapping(target("a", created=NOW), versions=versions, puts=puts)
        assert cached_until(f, Slot.KEY2, OVERLAP) == NOW - DAY + OVERLAP
        assert cached_until(replace(f, versions=()), Slot.KEY2, OVERLAP) is None
