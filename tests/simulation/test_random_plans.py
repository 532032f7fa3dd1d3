"""Seeded plans of many hands: workers, people, consumers and faults at once; then all is well.

`make simulate N=…` runs as many more as one likes.
"""

from __future__ import annotations

import os

import pytest

from .harness import plan_runner
from .harness.plan import Plan, plan
from .harness.shrink import find_violation

# The same ones on every run; CI adds one that nobody has seen before.
SEEDS = range(80)
FRESH = [int(seed) for seed in [os.environ.get("SEED", "")] if seed.isdigit()]


def ends_well(made: Plan) -> None:
    found = find_violation(made)
    assert found is None, f"{found}\n{made}\nmake simulate SEED={made.seed} N=1 shrinks it"


@pytest.mark.parametrize("seed", [*SEEDS, *FRESH])
def test_many_hands_at_the_port_level(seed: int) -> None:
    ends_well(plan(seed))


@pytest.mark.parametrize("seed", range(6))
def test_many_hands_at_the_wire_level(seed: int) -> None:
    ends_well(plan(seed, "wire"))


def test_the_same_seed_is_the_same_story() -> None:
    first, second = plan_runner.run_plan(plan(3)), plan_runner.run_plan(plan(3))
    assert first.interceptor.trace == second.interceptor.trace
    assert first.consumer_requests > 20, "consumers were there"
