"""Rotation windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain import window

MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_window_is_open_within_its_hours() -> None:
    assert window.parse("Mon 11:00-13:00").next_opening(MONDAY_NOON) == MONDAY_NOON


def test_a_closed_window_opens_on_the_next_named_day() -> None:
    opens = window.parse("Sat,Sun 01:00-05:00").next_opening(MONDAY_NOON)
    assert opens == datetime(2026, 11, 28, 1, 0, tzinfo=UTC)


def test_a_window_over_midnight_is_open_on_the_next_morning() -> None:
    early = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
    assert window.parse("Mon 22:00-04:00").next_opening(early) == early


def test_hours_are_local_to_the_time_zone() -> None:
    opens = window.parse("* 22:00-23:00 Europe/Berlin").next_opening(MONDAY_NOON)
    assert opens == datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


def test_a_range_of_days_may_cross_the_week() -> None:
    assert window.parse("Fri-Mon 00:00-24:00").days == frozenset({4, 5, 6, 0})


@pytest.mark.parametrize("text", ["", "Mon", "Mon 9-17", "Mon 25:00-26:00", "Foo 01:00-02:00"])
def test_any_other_value_is_rejected_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        window.parse(text)


@given(
    st.text()
    | st.from_regex(r"(\*|[A-Za-z,-]{1,9}) \d{1,2}:\d\d-\d{1,2}:\d\d( \S{1,20})?", fullmatch=True)
)
def test_any_text_is_a_window_that_opens_every_week_or_rejected(text: str) -> None:
    now = datetime(2026, 3, 28, 12, tzinfo=UTC)
    try:
        found = window.parse(text)
    except ValueError:
        return
    assert now <= found.next_opening(now) <= now + timedelta(days=9)
