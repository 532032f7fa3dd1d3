"""No check passes because it checked nothing."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from .harness.api import check_reply
from .harness.convergence import check_events
from .harness.invariants import Invariant, Invariants, Violation, never_evaluated
from .harness.plan import Plan, PlannedEvent
from .harness.plan_runner import run_plan
from .harness.scenarios import ROTATION, SCENARIOS, run_scenario
from .harness.tally import Tally
from .harness.world import single_account

ONLY_IN_PLANS = {Invariant.CONSUMER_SERVED, Invariant.FOREIGN_NOT_STORED}
ONLY_IN_RANDOM_PLANS = {
    Invariant.ISOLATED,
    Invariant.OTHERS_SPARED,
    Invariant.EMERGENCY_ACCEPTED,
    Invariant.EMERGENCY_ROLE,
    Invariant.EMERGENCY_ENDS,
    Invariant.ONE_EMERGENCY,
    Invariant.API_EXPLAINS,
    Invariant.NO_KEY_IN_REPLIES,
}


async def test_the_scenarios_evaluate_every_invariant_except_that_of_consumers() -> None:
    tally = Tally()
    for scenario in SCENARIOS:
        tally.add_run(await run_scenario(scenario, {}))
    assert {*never_evaluated(tally.evaluated)} == ONLY_IN_PLANS | ONLY_IN_RANDOM_PLANS


def test_a_plan_evaluates_the_invariants_that_the_scenarios_do_not() -> None:
    events = (
        PlannedEvent(0, "carelessly write a password"),
        PlannedEvent(60, "carelessly rewrite the same value"),
    )
    evaluated = run_plan(Plan(seed=0, targets=2, events=events)).invariants.evaluated
    assert evaluated[Invariant.CONSUMER_SERVED] > 20
    assert not ONLY_IN_PLANS & {*never_evaluated(evaluated)}


@pytest.mark.parametrize("level", ["port", "wire"])
async def test_an_event_with_a_key_is_found_at_both_levels(level: str) -> None:
    world = await run_scenario(ROTATION, {}, level=level)
    check_events(world)
    leaked = {"data": {"reason": world.keys()["Key1"]}}
    sent = world.sent if level == "port" else next(iter(world.azure.topics.received.values()))
    sent.append(leaked)
    with pytest.raises(Violation, match="an event contains a key"):
        check_events(world)


def test_a_reply_with_a_key_is_found() -> None:
    world, _, _ = single_account()
    check_reply(world, '{"id": "1"}')
    with pytest.raises(Violation, match="a reply contains a key"):
        check_reply(world, world.keys()["Key1"])


def test_the_page_names_every_invariant() -> None:
    page = Path("docs/reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \| (.+) \|$", page, re.MULTILINE)
    named = [name for row in rows for name in row.split("; ")]
    assert sorted(named) == sorted(Invariant)


def test_an_invariant_without_an_evaluation_is_reported() -> None:
    evaluated = Counter(Invariant)
    del evaluated[Invariant.OLD_KEY_REFUSED]
    assert never_evaluated(evaluated) == [Invariant.OLD_KEY_REFUSED]


def test_a_violation_counts_as_an_evaluation() -> None:
    invariants = Invariants()
    with pytest.raises(Violation, match="the message"):
        invariants.require(Invariant.KEY_WORKS, False, "the message")
    assert invariants.evaluated[Invariant.KEY_WORKS] == 1
