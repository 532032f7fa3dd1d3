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
    ],
)
def test_durations_are_read(text: str, expected: timedelta) -> None:
    assert durations.parse(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "2 days", "P1Y", "P1M", "-P1D", "P99999999999D"])
def test_any_other_value_is_rejected_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        durations.parse(text)


@given(st.integers(min_value=0, max_value=10**8))
def test_a_written_document_reads_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert durations.parse(durations.text(duration)) == duration
