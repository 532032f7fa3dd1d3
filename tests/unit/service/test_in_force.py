"""The settings in force for a secret, each with the tag or the setting that it comes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from rotation.domain.ids import AccountId
from rotation.domain.policy import Policy
from rotation.service.views import in_force

ADDRESS = {"ProviderAddress": str(AccountId("s", "g", "acct")), "ValidityPeriodDays": "60"}


def found(policy: Policy | None = None, /, **tags: str) -> dict[str, tuple[str, str]]:
    shown = in_force.build(ADDRESS | tags, policy or Policy())
    return {s.name: (s.value, s.source) for s in shown}


def test_without_a_tag_a_setting_or_the_default_counts() -> None:
    assert found() == {
        "overlap": ("26 hours", "ROTATION_OVERLAP"),
        "validity": ("60 days", "ValidityPeriodDays"),
        "minimum interval": ("1 day", "ROTATION_MINIMUM_INTERVAL"),
        "window": ("at any time", "the default"),
    }


def test_a_tag_counts_more_than_the_setting() -> None:
    tags = {
        "rotationoverlap": "PT3H",
        "RotationMinimumInterval": "P2D",
        "RotationWindow": "Sat,Sun 01:00-05:00",
    }
    shown = found(None, **tags)
    assert shown["overlap"] == ("3 hours", "RotationOverlap")
    assert shown["minimum interval"] == ("2 days", "RotationMinimumInterval")
    assert shown["window"] == ("Sat,Sun 01:00-05:00", "RotationWindow")


def test_a_value_out_of_range_is_shown_with_the_one_that_counts() -> None:
    assert found(RotationOverlap="PT1M")["overlap"] == (
        "1 hour",
        "RotationOverlap of 1 minute, limited",
    )
    long = replace(Policy(), overlap=timedelta(days=30))
    assert found(long)["overlap"] == ("7 days", "ROTATION_OVERLAP of 30 days, limited")


def test_a_secret_without_our_tags_has_the_defaults() -> None:
    shown = {s.name: s.source for s in in_force.build({"RotationOverlap": "PT3H"}, Policy())}
    assert shown["overlap"] == "ROTATION_OVERLAP"
    assert shown["validity"] == "the default"
