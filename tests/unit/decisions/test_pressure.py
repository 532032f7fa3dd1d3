"""Normal work leaves a reserve to emergencies, and starts less after answers 429."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.decisions.pressure import LEAST_SHARE, SPREAD, Pressure

from .account import NOW

SECOND = timedelta(seconds=1)
FREE = Pressure()


@pytest.mark.parametrize("lot", [0.0, 0.999])
def test_without_pressure_every_visit_starts(lot: float) -> None:
    assert FREE.pause(lot, NOW) == timedelta()
    assert FREE.left(50, NOW).pause(lot, NOW) == timedelta()


def test_below_the_reserve_none_starts_until_it_is_there_again() -> None:
    low = FREE.left(20, NOW)
    assert low.pause(0, NOW) == 3 * SECOND
    assert low.pause(0.5, NOW) == 3 * SECOND + SPREAD / 2
    assert low.pause(0.5, NOW + 3 * SECOND) == timedelta()


def test_an_answer_that_more_is_left_does_not_shorten_the_pause() -> None:
    low = FREE.left(20, NOW)
    assert low.left(49, NOW).pause(0, NOW) == 3 * SECOND
    assert low.left(100, NOW).pause(0, NOW) == 3 * SECOND


def test_after_a_429_half_of_the_visits_start_and_then_more_again() -> None:
    half = FREE.refused(None, NOW)
    assert half.pause(0.49, NOW) == timedelta()
    assert half.pause(0.5, NOW) == SPREAD * 1.5
    later = NOW + 10 * SECOND
    assert (half.pause(0.69, later), half.pause(0.71, later)) == (timedelta(), SPREAD * 1.71)
    assert half.pause(0.999, NOW + 25 * SECOND) == timedelta()


def test_the_pause_that_azure_asks_for_is_kept() -> None:
    asked = FREE.refused(7 * SECOND, NOW)
    assert asked.pause(0, NOW) == 7 * SECOND
    assert asked.pause(0, NOW + 7 * SECOND) == timedelta()


def test_answers_about_one_burst_count_once_but_each_pause_counts() -> None:
    once = FREE.refused(None, NOW)
    again = once.refused(9 * SECOND, NOW + SECOND)
    assert again.share_at(NOW + SECOND) == once.share_at(NOW + SECOND)
    assert again.pause(0, NOW + SECOND) == 9 * SECOND
    assert once.refused(None, NOW + 2 * SECOND).share_at(NOW + 2 * SECOND) == pytest.approx(0.27)


@given(st.lists(st.floats(0, 60), max_size=40))
def test_a_part_of_the_visits_always_starts(gaps: list[float]) -> None:
    found, now = FREE, NOW
    for gap in gaps:
        now += timedelta(seconds=gap)
        found = found.refused(None, now)
        assert LEAST_SHARE <= found.share_at(now) <= 1
    assert found.pause(0, now) == timedelta()
    assert found.share_at(now + timedelta(minutes=1)) == 1


def test_a_clock_that_is_set_back_holds_nothing_for_the_size_of_the_step() -> None:
    before = NOW - timedelta(days=1)
    assert FREE.left(0, NOW).pause(0.5, before) == timedelta()
    assert FREE.refused(None, NOW).share_at(before) == 0.5
    assert FREE.refused(300 * SECOND, NOW).pause(0, NOW) == 300 * SECOND
