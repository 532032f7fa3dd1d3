"""A hold of all scheduled work ends at its time, and after 14 days at the latest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotation.domain.evidence import Readers
from rotation.domain.fleet_hold import LONGEST, FleetHold

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("lasts", "passed", "is_on"),
    [
        (DAY, timedelta(), True),
        (DAY, DAY - SECOND, True),
        (DAY, DAY, False),
        (20 * DAY, LONGEST - SECOND, True),
        (20 * DAY, LONGEST, False),
    ],
)
def test_a_hold_is_on_until_its_end(lasts: timedelta, passed: timedelta, is_on: bool) -> None:
    assert FleetHold(NOW + lasts, "a freeze", "ana", NOW).is_on(NOW + passed) is is_on


@pytest.mark.parametrize(
    ("readers", "names"),
    [
        (Readers(), []),
        (Readers(stale=("app", "job")), ["app, job"]),
        (Readers(unlogged=("one", "two")), ["one, two"]),
        (Readers(("app",), ("one",)), ["app", "one"]),
    ],
)
def test_readers_and_secrets_without_a_log_are_named(readers: Readers, names: list[str]) -> None:
    parts = str(readers).split("; ") if names else [str(readers)]
    assert len(parts) == max(len(names), 1)
    assert all(part.endswith(name) for part, name in zip(parts, names or [""], strict=True))
