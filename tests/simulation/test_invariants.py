"""No check passes because it checked nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from .harness.invariants import Invariant, Invariants, Violation, never_evaluated
from .harness.plan import Plan
from .harness.plan_runner import run_plan
from .harness.scenarios import SCENARIOS, run_scenario
from .harness.tally import Tally


async def test_the_scenarios_evaluate_every_invariant_except_that_of_consumers() -> None:
    tally = Tally()
    for scenario in SCENARIOS:
        tally.add_run(await run_scenario(scenario, {}))
    assert never_evaluated(tally.evaluated) == [Invariant.CONSUMER_SERVED]


def test_a_plan_evaluates_the_invariant_of_consumers() -> None:
    evaluated = run_plan(Plan(seed=0)).invariants.evaluated
    assert evaluated[Invariant.CONSUMER_SERVED] > 20


def test_an_invariant_without_an_evaluation_is_reported() -> None:
    evaluated = Counter(Invariant)
    del evaluated[Invariant.OLD_KEY_REFUSED]
    assert never_evaluated(evaluated) == [Invariant.OLD_KEY_REFUSED]


def test_a_violation_counts_as_an_evaluation() -> None:
    invariants = Invariants()
    with pytest.raises(Violation, match="the message"):
        invariants.require(Invariant.KEY_WORKS, False, "the message")
    assert invariants.evaluated[Invariant.KEY_WORKS] == 1
