"""The shortest time that Azure's limits allow for a fleet."""

from __future__ import annotations

import pytest

from benchmarks.pace import bound
from benchmarks.pace.bound import ARM_WRITES, PATH, VAULT_CREATES, Bound, Limit, Place
from benchmarks.pace.estate import Shape


@pytest.mark.parametrize(("keys", "seconds"), [(1000, 280), (10_000, 2980), (100_000, 29_980)])
def test_one_subscription_is_limited_by_its_writes(keys: int, seconds: float) -> None:
    assert bound.of(Shape(keys, 1, 1).places()) == Bound(seconds, ARM_WRITES.name)


@pytest.mark.parametrize(
    ("keys", "seconds", "limit"), [(1000, 0, PATH), (10_000, 10, "arm writes")]
)
def test_a_hundred_subscriptions_and_vaults(keys: int, seconds: float, limit: str) -> None:
    assert bound.of(Shape(keys, 100, 100).places()) == Bound(seconds, limit)


def test_a_hundred_thousand_keys_in_a_hundred_subscriptions_and_vaults() -> None:
    assert bound.of(Shape(100_000, 100, 100).places()).seconds == pytest.approx(280)


@pytest.mark.parametrize(("keys", "seconds"), [(1000, 23.3), (10_000, 323.3), (100_000, 3323.3)])
def test_one_vault_is_limited_by_its_new_versions(keys: int, seconds: float) -> None:
    found = bound.of(Shape(keys, 100, 1).places())
    assert (round(found.seconds, 1), found.limit) == (seconds, VAULT_CREATES.name)


def test_a_region_has_five_times_the_limits_of_a_vault() -> None:
    places = [Place(f"sub-{n}", f"kv-{n % 100}", "home") for n in range(10_000)]
    assert bound.of(places).limit == "region creates"
    assert bound.of(places).seconds == pytest.approx((10_000 - 1500) / 150)


@pytest.mark.parametrize(("subscriptions", "seconds"), [(1, 180), (10, 0), (100, 0)])
def test_leaked_keys_are_refused_after_two_writes_each(subscriptions: int, seconds: float) -> None:
    assert (
        bound.of(Shape(1000, subscriptions, 1).places(), writes=2, publish=False).seconds == seconds
    )


def test_calls_that_fit_into_the_burst_take_no_time() -> None:
    assert Limit("calls", 200, 10).seconds(200) == 0
    assert Limit("calls", 200, 10).seconds(230) == 3


def test_no_accounts_take_no_time() -> None:
    assert bound.of([]) == Bound(0, PATH)
