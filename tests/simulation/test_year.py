"""A year of a small fleet; `make simulate YEAR=1` has 500 accounts."""

from __future__ import annotations

import pytest

from .harness.year import YearSettings, simulate_year


@pytest.mark.parametrize("events", [False, True], ids=["timer only", "timer and events"])
async def test_in_a_year_every_secret_is_rotated_on_schedule(events: bool) -> None:
    settings = YearSettings(accounts=12, events=events)
    report = await simulate_year(settings)
    assert 5 * settings.accounts <= report.rotations <= 7 * settings.accounts
    assert report.versions <= 8
    assert report.record < 32 * 1024
