"""The pace in virtual time: a small fleet, emergencies, and the comparison with old figures."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.pace import report
from benchmarks.pace.emergencies import leak
from benchmarks.pace.estate import Shape
from benchmarks.pace.makespan import measure


def test_a_fleet_within_the_bursts_takes_about_as_long_as_one_account() -> None:
    path = measure(Shape(1, 1, 1), workers=1).seconds
    found = measure(Shape(20, 1, 1), 20, path)
    assert found.limit == "one account's path"
    assert path <= found.seconds < path + 10
    assert found.throttled_share == 0


def test_a_fleet_beyond_the_bursts_takes_as_long_as_its_subscription_allows() -> None:
    found = measure(Shape(100, 1, 1), 20, 39.0)
    assert found.limit == "arm writes"
    assert found.seconds >= found.bound
    assert found.throttled_share == 0


def test_leaked_keys_within_the_bursts_are_rejected_in_seconds() -> None:
    assert leak(1, keys=16, workers=4).seconds < 10


def figures(**ratios: float) -> dict[str, Any]:
    span = {"keys": 1000, "shape": "1 vault", "ratio": ratios.get("span", 1.1)}
    return {
        "makespan": [span],
        "emergency": {
            "ratio": ratios.get("emergency", 1.0),
            "throttled": ratios.get("throttled", 0),
        },
        "leak_1000": [{"subscriptions": 1, "ratio": ratios.get("leak", 2.0)}],
    }


def test_a_ratio_may_fall_and_differ_a_little() -> None:
    assert report.slower(figures(span=1.11, leak=1.0), figures()) == []


@pytest.mark.parametrize("name", ["span", "emergency", "throttled", "leak"])
def test_a_ratio_that_grew_is_reported(name: str) -> None:
    (line,) = report.slower(figures(**{name: 3.0}), figures())
    assert line.endswith("to 3.0")
