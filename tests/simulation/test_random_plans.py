"""Random plans: workers, people, consumers and faults at once; then everything converges.

`make simulate N=…` runs more of them.
"""

from __future__ import annotations

import os

import pytest

from .harness.plan import Plan
from .harness.plan_generator import generate_plan
from .harness.plan_runner import run_plan
from .harness.shrink import find_violation

# CI adds one new seed to these.
SEEDS = range(80)
NEW_SEEDS = [int(seed) for seed in [os.environ.get("SEED", "")] if seed.isdigit()]


def check_converges(plan: Plan) -> None:
    found = find_violation(plan)
    assert found is None, f"{found}\n{plan}\nmake simulate SEED={plan.seed} N=1 shrinks it"


@pytest.mark.parametrize("seed", [*SEEDS, *NEW_SEEDS])
def test_a_random_plan_converges_at_the_port_level(seed: int) -> None:
    check_converges(generate_plan(seed))


@pytest.mark.parametrize("seed", range(6))
def test_a_random_plan_converges_at_the_wire_level(seed: int) -> None:
    check_converges(generate_plan(seed, "wire"))


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = run_plan(generate_plan(3)), run_plan(generate_plan(3))
    assert first.interceptor.trace == second.interceptor.trace
    assert first.consumer_requests > 20, "there are consumers"
