"""The effective policy: if the secrets of an account disagree, the safer value wins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rotation.domain import window
from rotation.domain.ids import AccountId
from rotation.domain.policy import (
    LONGEST_INTERVAL,
    LONGEST_OVERLAP,
    SHORTEST_VALIDITY,
    EffectivePolicy,
    Policy,
    remarks,
    settings_remarks,
)
from rotation.domain.targets import Enrolment
from tests.unit.decisions.account import target

ACCOUNT = AccountId("s1", "rg-a", "acct-a")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def combined(*enrolments: dict[str, Any], policy: Policy | None = None) -> EffectivePolicy:
    """Combine secrets with these settings, named a, b and so on."""
    usual: dict[str, Any] = {"validity": 90 * DAY}
    made = [
        target(name, enrolment=Enrolment(ACCOUNT, **(usual | own)))
        for name, own in zip("abc", enrolments, strict=False)
    ]
    return EffectivePolicy.combine(made, policy or Policy())


def test_the_longest_overlap_wins() -> None:
    """No consumer may lose its key because another secret can do with less."""
    assert combined({"overlap": HOUR}, {"overlap": 3 * HOUR}).overlap == 3 * HOUR


def test_a_secret_without_an_overlap_has_the_services_own() -> None:
    assert combined({"overlap": HOUR}, {}).overlap == Policy().overlap
    assert combined({"overlap": 40 * HOUR}, {}).overlap == 40 * HOUR
    assert combined().overlap == Policy().overlap


def test_the_longest_interval_wins() -> None:
    assert combined(
        {"minimum_interval": HOUR}, {"minimum_interval": 2 * HOUR}
    ).minimum_interval == (2 * HOUR)
    assert combined({"minimum_interval": HOUR}, {}).minimum_interval == Policy().minimum_interval
    assert combined().minimum_interval == Policy().minimum_interval


def test_the_shortest_validity_wins() -> None:
    assert combined({"validity": 60 * DAY}, {"validity": 90 * DAY}).validity == 60 * DAY
    assert combined({"validity": None}, {"validity": 80 * DAY}).validity == 80 * DAY
    assert combined().validity == 90 * DAY


def test_every_window_counts_once() -> None:
    night, weekend = window.parse("* 01:00-05:00"), window.parse("Sat 00:00-24:00")
    found = combined({"window": night}, {"window": weekend}, {"window": night})
    assert found.windows == (night, weekend)
    assert combined({}).windows == ()


def test_a_tag_cannot_ask_for_less_or_more_than_the_limits() -> None:
    """A person who can write one secret can delay the others only within these limits."""
    assert combined({"validity": DAY}).validity == SHORTEST_VALIDITY
    assert combined({"validity": timedelta()}).validity == SHORTEST_VALIDITY
    assert combined({"overlap": timedelta()}).overlap == Policy().minimum_overlap
    assert combined({"overlap": 90 * DAY}).overlap == LONGEST_OVERLAP
    assert combined({"minimum_interval": 900 * DAY}).minimum_interval == LONGEST_INTERVAL


def test_a_limit_that_changed_a_tag_is_remarked() -> None:
    within = Enrolment(ACCOUNT, validity=90 * DAY, overlap=30 * HOUR, minimum_interval=DAY)
    assert remarks(within, Policy()) == ()
    beyond = Enrolment(
        ACCOUNT,
        validity=DAY,
        overlap=90 * DAY,
        minimum_interval=900 * DAY,
        problems=("first",),
    )
    first, validity, overlap, interval = remarks(beyond, Policy())
    assert first == "first"
    assert "ValidityPeriodDays" in validity
    assert "RotationOverlap" in overlap
    assert "RotationMinimumInterval" in interval
    assert remarks(Enrolment(ACCOUNT), Policy()) == ()


def test_a_limit_that_changed_a_setting_is_remarked() -> None:
    assert settings_remarks(Policy()) == ()
    assert settings_remarks(Policy(overlap=LONGEST_OVERLAP)) == ()
    (overlap,) = settings_remarks(Policy(overlap=90 * DAY))
    assert "ROTATION_OVERLAP" in overlap
    assert "90 days" in overlap
    assert "7 days" in overlap
    (interval,) = settings_remarks(Policy(minimum_interval=900 * DAY))
    assert "ROTATION_MINIMUM_INTERVAL" in interval
    assert "900 days" in interval
    assert "90 days" in interval.replace("900 days", "")


@pytest.mark.parametrize("paused", [("a",), ("b",), ("a", "b")])
def test_a_paused_secret_is_named(paused: tuple[str, ...]) -> None:
    found = combined({"paused": "a" in paused}, {"paused": "b" in paused})
    assert found.paused == paused


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (HOUR - timedelta(seconds=1), HOUR),
        (HOUR, HOUR),
        (LONGEST_OVERLAP, LONGEST_OVERLAP),
        (LONGEST_OVERLAP + HOUR, LONGEST_OVERLAP),
        (timedelta(), HOUR),
    ],
)
def test_an_overlap_is_kept_within_its_limits(given: timedelta, counts: timedelta) -> None:
    policy = Policy(minimum_overlap=HOUR)
    assert combined({"overlap": given}, policy=policy).overlap == counts
    assert combined(policy=Policy(overlap=given, minimum_overlap=HOUR)).overlap == counts


def test_an_interval_of_nothing_is_taken_as_given() -> None:
    assert combined({"minimum_interval": timedelta()}).minimum_interval == timedelta()
    assert combined(policy=Policy(minimum_interval=900 * DAY)).minimum_interval == LONGEST_INTERVAL


def test_a_remark_names_what_was_given_and_what_counts() -> None:
    (remark,) = remarks(Enrolment(ACCOUNT, validity=DAY), Policy())
    assert remark == "ValidityPeriodDays of 1 day counts as 14 days"
    (remark,) = remarks(Enrolment(ACCOUNT, overlap=timedelta()), Policy())
    assert remark == "RotationOverlap of 0 seconds counts as 1 hour"
