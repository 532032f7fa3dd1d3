"""Each visit of a sweep starts when its calls fit into Azure's limits."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotation.decisions.pacing import (
    ARM_WRITES,
    PROOF_WRITES,
    REVOKE_WRITES,
    ROTATION_WRITES,
    URGENT_ARM_WRITES,
    VAULT_CREATES,
    Bucket,
    Demand,
    Turn,
    emergencies,
    starts,
    turns,
)

LOOKS = 4.0


def due(subscription: str = "s", *vaults: str) -> Demand:
    return Demand(subscription, vaults or ("v",), due=True)


def look(subscription: str = "s") -> Demand:
    return Demand(subscription, ("v",), due=False)


def last(*demands: Demand, looks: float = LOOKS) -> float:
    return list(starts(demands, looks))[-1]


def test_a_small_fleet_starts_at_once() -> None:
    count = int(min(ARM_WRITES.burst // ROTATION_WRITES, VAULT_CREATES.calls))
    assert set(starts([due()] * count, LOOKS)) == {0}


def test_a_large_one_follows_the_rate_of_its_subscription() -> None:
    assert last(*[due()] * 1000) == pytest.approx(
        (1000 * ROTATION_WRITES - ARM_WRITES.burst) / ARM_WRITES.rate
    )


def test_subscriptions_do_not_wait_for_each_other() -> None:
    many = [due("large")] * 1000
    assert last(*many, due("small", "other")) == 0


def test_one_vault_of_many_subscriptions_follows_the_rate_of_its_new_versions() -> None:
    demands = [due(f"s{number}") for number in range(1000)]
    found = Counter(round(start, 1) for start in starts(demands, LOOKS))
    assert found == {0: 280, 12.3: 280, 22.6: 280, 32.9: 160}


def test_a_secret_in_a_second_vault_counts_there_too() -> None:
    demands = [due(f"s{number}", "a", "b") for number in range(560)]
    assert last(*demands) == pytest.approx(12.3)
    assert last(*demands, due("new", "b")) == pytest.approx(22.6)
    assert last(*demands, due("new", "c")) == 0


def test_looks_follow_their_own_rate_and_create_no_versions() -> None:
    demands = [look()] * 1000
    burst = ARM_WRITES.burst / ARM_WRITES.rate
    assert last(*demands) == pytest.approx(1000 / LOOKS - burst)


def test_looks_keep_the_limit_of_reads_of_keys() -> None:
    assert last(*[look()] * 1000, looks=100) == pytest.approx((1000 - 150) / 10)


@pytest.mark.parametrize(("count", "sweeps"), [(0, 1), (3599, 1), (3600, 2), (9000, 3)])
def test_a_subscription_with_many_accounts_is_looked_at_in_several_sweeps(
    count: int, sweeps: int
) -> None:
    assert turns(count, LOOKS, timedelta(minutes=15)) == sweeps


PLACES = st.sampled_from(["a", "b", "c"])
DEMANDS = st.lists(st.builds(Demand, PLACES, st.tuples(PLACES), st.booleans()), max_size=150)


@settings(deadline=None)
@given(DEMANDS)
def test_no_place_gets_more_calls_than_its_limit_allows_until_any_moment(
    demands: list[Demand],
) -> None:
    found = list(starts(demands, LOOKS))
    for moment in found:
        until = [d for d, at in zip(demands, found, strict=True) if at <= moment]
        writes = Counter[str]()
        for demand in until:
            writes[demand.subscription] += ROTATION_WRITES if demand.due else 1
        recent = [d for d, at in zip(demands, found, strict=True) if 0 <= moment - at < 10]
        creates = Counter(vault for d in recent if d.due for vault in d.vaults)
        assert all(_fits(ARM_WRITES, count, moment) for count in writes.values())
        assert all(count <= 300 for count in creates.values())


def _fits(limit: Bucket, calls: float, seconds: float) -> bool:
    return calls <= limit.burst + limit.rate * seconds + 1e-6


def test_a_rotation_counts_for_the_writes_that_the_benchmark_counts() -> None:
    measured = json.loads(Path("benchmarks/figures.json").read_text())
    assert max(measured[half]["arm_writes"] for half in ("rotation", "revocation")) == (
        ROTATION_WRITES
    )


def test_emergencies_of_a_batch_use_up_the_reserve_and_then_follow_the_rate() -> None:
    delays = [turn.start.total_seconds() for turn in emergencies(["s"] * 1000)]
    at_once = 200 // REVOKE_WRITES
    assert set(delays[:at_once]) == {0}
    assert delays[at_once] > 0
    assert delays[-1] == pytest.approx((1000 * REVOKE_WRITES - 200) / URGENT_ARM_WRITES.rate)


def test_all_keys_of_a_batch_are_regenerated_before_the_proof_of_any() -> None:
    found = list(emergencies(["s"] * 1000))
    assert found[0].proof > found[-1].start
    last = 1000 * (REVOKE_WRITES + PROOF_WRITES)
    assert found[-1].proof.total_seconds() == pytest.approx((last - 200) / URGENT_ARM_WRITES.rate)


def test_a_small_batch_is_proven_at_once() -> None:
    assert set(emergencies(["s"] * 40)) == {Turn()}


def test_emergencies_of_other_subscriptions_do_not_wait() -> None:
    *_, last = emergencies([*["S", "s"] * 500, "other"])
    assert last == Turn()
    assert list(emergencies(["S"] * 100)) == list(emergencies(["s", "S"] * 50))
