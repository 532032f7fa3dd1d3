"""A timespan is a duration that ends now, or an interval of moments or durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator.services.logs.timespans import interval

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("", NOW - timedelta(days=1), NOW),
        ("PT1H", NOW - timedelta(hours=1), NOW),
        ("PT3600.5S", NOW - timedelta(seconds=3600.5), NOW),
        ("P1DT1H1M", NOW - timedelta(days=1, hours=1, minutes=1), NOW),
        ("2026-11-22/2026-11-22T12:00:00Z", MIDNIGHT, MIDNIGHT + timedelta(hours=12)),
        ("2026-11-22T00:00:00+00:00/P1D", MIDNIGHT, MIDNIGHT + timedelta(days=1)),
        ("PT1H/2026-11-22", MIDNIGHT - timedelta(hours=1), MIDNIGHT),
    ],
)
def test_both_ends(text: str, first: datetime, last: datetime) -> None:
    assert interval(text, NOW) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        *("P", "PT", "1H", "PT1.2.3S", "P-1D", "P999999999999D"),
        *("2026-11-22", "2026-11-22/x", "9999-12-31/P9D", "P9D/0001-01-01", "/", "é"),
    ],
)
def test_a_bad_one_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        interval(text, NOW)
