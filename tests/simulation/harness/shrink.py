"""Makes the plan of a violation smaller by leaving out all that it does not need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .invariants import Violation
from .plan import Plan
from .plan_runner import run_plan


def find_violation(plan: Plan) -> Violation | None:
    """Run a plan and return how it fails, or None."""
    try:
        run_plan(plan)
    except Violation as found:
        return found
    return None


def shrink(plan: Plan) -> Plan:
    """Return the smallest plan found that still fails, in any way."""
    smaller = next((p for p in _candidates(plan) if find_violation(p)), None)
    return shrink(smaller) if smaller else plan


def _candidates(plan: Plan) -> Iterator[Plan]:
    """Yield plans with one thing less, the largest things first."""
    if plan.accounts > 1:
        yield replace(plan, accounts=1)
    if len(plan.clock_skews) > 1:
        yield replace(plan, clock_skews=plan.clock_skews[:-1])
    yield from (plan.without(event) for event in plan.events)
    if plan.targets > 1:
        yield replace(plan, targets=plan.targets - 1)
    simpler = (
        replace(plan, vaults=1),
        replace(plan, read_staleness=0),
        replace(plan, latency=0.0),
        replace(plan, new_key_delay=0),
        replace(plan, old_key_lag=0),
        replace(plan, kind="OpenAI"),
    )
    yield from (candidate for candidate in simpler if candidate != plan)
