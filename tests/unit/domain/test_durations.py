"""ISO 8601 durations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain import durations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P2D", timedelta(days=2)),
        ("PT5S", timedelta(seconds=5)),
        ("PT26H", timedelta(hours=26)),
        ("P1W", timedelta(weeks=1)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("pt0.5s", timedelta(milliseconds=500)),
        ("PT0S", timedelta()),
        ("P3650D", timedelta(days=3650)),
    ],
)
def test_durations_are_read(text: str, expected: timedelta) -> None:
    assert durations.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "2 days", "P1Y", "P1M", "-P1D", "P99999999999D", "P3651D"]
)
def test_any_other_value_is_rejected_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        durations.parse(text)


@pytest.mark.parametrize("text", ["P3651D", "P999999999W"])
def test_more_than_ten_years_are_too_long(text: str) -> None:
    with pytest.raises(durations.TooLong):
        durations.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT26H", "26 hours"),
        ("P2D", "2 days"),
        ("PT24H", "1 day"),
        ("PT12H", "12 hours"),
        ("PT36H", "36 hours"),
        ("PT1M30S", "1 minute 30 seconds"),
        ("PT0.5S", "0.5 seconds"),
        ("PT0S", "0 seconds"),
    ],
)
def test_people_read_a_duration_in_words(text: str, expected: str) -> None:
    assert durations.words(durations.parse(text)) == expected


@given(st.text(alphabet="PTWDHMS.0123456789٣ \n\ud800", max_size=40) | st.text())
def test_any_text_is_a_duration_of_at_most_ten_years_or_rejected(text: str) -> None:
    try:
        found = durations.parse(text)
    except ValueError:
        return
    assert timedelta() <= found <= durations.LONGEST
