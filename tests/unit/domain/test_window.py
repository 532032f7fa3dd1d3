"""Rotation windows."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

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


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "now", "opens"),
    [
        ("Mon 11:00-12:00", "2026-11-23T10:59", "2026-11-23T11:00"),
        ("Mon 11:00-12:00", "2026-11-23T11:59", "2026-11-23T11:59"),
        ("Mon 11:00-12:00", "2026-11-23T12:00", "2026-11-30T11:00"),
        ("Sun 22:00-04:00", "2026-11-23T03:59", "2026-11-23T03:59"),
        ("Sun 22:00-04:00", "2026-11-23T04:00", "2026-11-29T22:00"),
        ("Mon 11:00-11:00", "2026-11-24T10:59", "2026-11-24T10:59"),
        ("Mon 11:00-11:00", "2026-11-24T11:00", "2026-11-30T11:00"),
        ("Mon 24:00-01:00", "2026-11-23T12:00", "2026-11-30T00:00"),
        ("Tue 00:00-01:00 Asia/Tokyo", "2026-11-23T12:00", "2026-11-23T15:00"),
        ("Mon 23:00-24:00 America/New_York", "2026-11-24T03:00", "2026-11-24T04:00"),
        ("Sat 01:00-02:00", "2026-11-28T02:00", "2026-12-05T01:00"),
    ],
)
def test_a_window_opens_at_its_start_and_closes_before_its_end(
    text: str, now: str, opens: str
) -> None:
    assert window.parse(text).next_opening(at(now)) == at(opens)


@pytest.mark.parametrize(
    ("text", "start", "minutes", "zone"),
    [
        ("* 09:05-17:00", time(9, 5), 475, "UTC"),
        ("* 9:05-9:06", time(9, 5), 1, "UTC"),
        ("* 22:30-04:00 Europe/Berlin", time(22, 30), 330, "Europe/Berlin"),
        ("* 10:00-10:00", time(10), 1440, "UTC"),
        ("* 00:00-24:00", time(0), 1440, "UTC"),
        ("* 24:00-00:59", time(0), 59, "UTC"),
        ("* 00:59-00:00", time(0, 59), 1381, "UTC"),
    ],
)
def test_the_hours_give_a_start_and_a_length(
    text: str, start: time, minutes: int, zone: str
) -> None:
    found = window.parse(text)
    assert (found.start, found.length, found.zone) == (start, timedelta(minutes=minutes), zone)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("*", {0, 1, 2, 3, 4, 5, 6}),
        ("Mon", {0}),
        ("sunday", {6}),
        ("Mon-Mon", {0}),
        ("Mon-Tue", {0, 1}),
        ("Sat-Tue", {5, 6, 0, 1}),
        ("Tue-Mon", {0, 1, 2, 3, 4, 5, 6}),
        ("Mon,Wed-Fri,SUN", {0, 2, 3, 4, 6}),
    ],
)
def test_days_are_a_list_of_days_and_ranges(days: str, expected: set[int]) -> None:
    assert window.parse(f"{days} 01:00-02:00").days == expected


@pytest.mark.parametrize(
    "text",
    [
        "Mon 24:01-02:00",
        "Mon 01:00-24:30",
        "Mon 01:60-02:00",
        "Mon,Foo 01:00-02:00",
        "Mon-Foo 01:00-02:00",
        "Foo-Mon 01:00-02:00",
        "Mon, 01:00-02:00",
        "* 01:00-02:00 Mars/Base",
        "* 01:00-02:00 ../etc/passwd",
        "* 01:00-02:00 Europe",
    ],
)
def test_an_hour_day_or_zone_that_is_none_is_rejected(text: str) -> None:
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
