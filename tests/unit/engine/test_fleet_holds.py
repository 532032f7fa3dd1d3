"""The hold of all scheduled work is stored, read again when it matters, and never guessed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from rotation.domain import codec
from rotation.domain.errors import Unreadable
from rotation.domain.fleet_hold import FORMAT, FleetHold
from rotation.engine.fleet_holds import NAME, FleetHolds
from rotation.runtime.clock import Clock
from tests.unit.decisions.account import NOW

from .stores import SharedStore

HOLD = FleetHold(NOW + timedelta(days=1), "a change freeze", "ana", NOW)
OTHER = replace(HOLD, reason="an outage")
SECOND = timedelta(seconds=1)


class Place:
    """One store, and two processes that read the hold from it."""

    def __init__(self, directory: Path) -> None:
        self.now = NOW
        self.store = SharedStore(directory, NAME)
        clock = Clock(lambda: self.now)
        self.here, self.there = FleetHolds(self.store, clock), FleetHolds(self.store, clock)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_a_hold_is_in_force_in_every_process(place: Place) -> None:
    assert await place.here.current() is None
    await place.here.put(HOLD)
    assert await place.here.current() == await place.there.current() == HOLD


async def test_the_last_hold_replaces_the_one_before(place: Place) -> None:
    await place.here.put(HOLD)
    await place.there.put(OTHER)
    assert await place.here.current() == OTHER


async def test_one_that_is_placed_twice_is_written_once(place: Place) -> None:
    for _ in range(2):
        await place.here.put(HOLD)
    assert place.store.writes == [NAME]


async def test_of_two_that_are_placed_at_once_the_later_is_stored(place: Place) -> None:
    place.store.others = [lambda: place.there.put(HOLD)]
    await place.here.put(OTHER)
    assert await place.there.current() == OTHER


async def test_a_hold_that_is_over_holds_nothing(place: Place) -> None:
    await place.here.put(HOLD)
    place.now = HOLD.until
    assert (await place.here.current(), place.here.problem) == (None, "")


async def test_what_was_read_a_moment_ago_is_used_and_no_longer(place: Place) -> None:
    await place.here.current()
    await place.there.put(HOLD)
    assert await place.here.current(SECOND) is None
    place.now += SECOND
    assert await place.here.current(SECOND) == HOLD


async def test_a_clock_that_was_set_back_makes_nothing_fresh(place: Place) -> None:
    await place.here.current()
    await place.there.put(HOLD)
    place.now -= SECOND
    assert await place.here.current(SECOND) == HOLD


async def test_a_hold_is_in_force_at_once_where_it_is_placed(place: Place) -> None:
    await place.here.current()
    await place.here.put(HOLD)
    assert await place.here.current(SECOND) == HOLD


async def test_garbage_holds_nothing_says_so_and_is_replaced(place: Place) -> None:
    await place.store.put(NAME, b"garbage")
    assert await place.here.current() is None
    assert "its document cannot be read; place it again" in place.here.problem
    await place.here.put(HOLD)
    assert (await place.here.current(), place.here.problem) == (HOLD, "")


async def test_a_hold_of_a_newer_version_is_not_in_force_and_not_replaced(place: Place) -> None:
    newer = codec.dump(replace(HOLD, format=FORMAT + 1))
    await place.store.put(NAME, newer)
    assert await place.here.current() is None
    assert "a newer version wrote its document; place it again" in place.here.problem
    with pytest.raises(Unreadable) as raised:
        await place.here.put(OTHER)
    assert raised.value.newer
    found = await place.store.read(NAME)
    assert found is not None
    assert found.body == newer
